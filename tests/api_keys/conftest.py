"""Who has keys."""

import pytest
from flask import Flask

from stockroom.api_keys.service import Issued
from stockroom.core.permissions import Role
from stockroom.users.models import User
from tests.api import Api
from tests.factories.api_keys import make_key
from tests.factories.users import make_user, token_for


@pytest.fixture
def owner(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


@pytest.fixture
def staff_user(app: Flask) -> User:
    return make_user(app, role=Role.STAFF)


@pytest.fixture
def issued(app: Flask, staff_user: User) -> Issued:
    return make_key(app, staff_user)

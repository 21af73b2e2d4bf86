"""An account whose mails the tests read."""

import pytest
from flask import Flask

from stockroom.users.models import User
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.verification.proving import ADA


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app, email=ADA)


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))

"""Somebody who has a second factor, or is about to."""

import pytest
from flask import Flask

from stockroom.users.models import User
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.second_factor.authenticator import Owner


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app, email="ada@example.com")


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


@pytest.fixture
def owner(app: Flask, user: User) -> Owner:
    owner = Owner(app, user)
    owner.forget_last_code()
    return owner

"""Somebody who logs in with a browser."""

from collections.abc import Callable

import pytest
from flask import Flask

from stockroom.config import Environment, Settings
from stockroom.users.models import User
from tests.auth.browsing import Browser
from tests.factories.users import make_user


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def browser(app: Flask, user: User) -> Browser:
    return Browser(app, user)


@pytest.fixture
def in_production(make_app: Callable[..., Flask], settings: Settings) -> Flask:
    return make_app(
        environment=Environment.PRODUCTION,
        secret_key="abcdefghijklmnopqrstuvwxyz0123456789",
        jwt_secret_key="9876543210zyxwvutsrqponmlkjihgfedcba",
    )

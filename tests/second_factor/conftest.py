"""Somebody who has a second factor, or is about to."""

import pytest
from flask import Flask

from stockroom.users.models import User
from tests.second_factor.authenticator import Owner


@pytest.fixture
def owner(app: Flask, user: User) -> Owner:
    owner = Owner(app, user)
    owner.forget_last_code()
    return owner

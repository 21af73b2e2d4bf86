"""Receivers, an application that may reach them, and an administrator of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.webhooks import jobs
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def one_sending_app(settings: Settings) -> Iterator[Flask]:
    changes: dict[str, Any] = {
        "webhook_http": True,
        "webhook_networks": ["127.0.0.0/8"],
        "webhook_timeout_seconds": 1,
    }
    app = create_app(replace(settings, **changes))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def sending_app(app: Flask, one_sending_app: Flask) -> Iterator[Flask]:
    """An application that may send to this machine. Nothing goes on in it by itself."""
    yield one_sending_app
    with one_sending_app.app_context():
        jobs.stop()


@pytest.fixture
def manager(sending_app: Flask) -> Api:
    """An administrator's client of that application."""
    return Api(sending_app, token_for(sending_app, make_user(sending_app, role=Role.ADMIN)))


@pytest.fixture
def hook(sending_app: Flask, manager: Api, receiver: Receiver) -> Hook:
    """The receiver's webhook, for events on products."""
    return Hook.create(sending_app, manager, receiver)

"""Receivers, an application that may reach them, and its jobs."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from stockroom.core.permissions import Role
from stockroom.core.jobs import bound_jobs
from stockroom.outbox.relay import relay
from stockroom.webhooks import jobs, service
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.webhooks.receivers import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sender_app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application that may send to this machine; nothing goes on by itself in it."""
    app = make_app(
        webhook_http=True, webhook_networks=["127.0.0.0/8"], webhook_timeout_seconds=2
    )
    yield app
    with app.app_context():
        jobs.stop()


@pytest.fixture
def manager(sender_app: Flask) -> Api:
    """An administrator's client of that application."""
    return Api(sender_app, token_for(sender_app, make_user(sender_app, role=Role.ADMIN)))

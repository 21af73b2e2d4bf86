"""A relay with sinks and listeners of the tests, and how far it has come."""

from collections.abc import Callable

import pytest
from flask import Flask

from stockroom.outbox.sinks import Listener, Outlets, Sink, bind_outlets
from tests.api import Api
from tests.outbox.events import all_events, relay_all
from tests.outbox.takers import MakeRelay, Taker


@pytest.fixture
def make_relay(make_app: Callable[..., Flask]) -> MakeRelay:
    """An application whose events go to the sinks and listeners given."""

    def make(sinks: dict[str, Taker], listeners: tuple[Listener, ...] = ()) -> Flask:
        app = make_app()
        bound = [Sink(name, taker) for name, taker in sinks.items()]
        bind_outlets(app.extensions, Outlets(bound, listeners))
        return app

    return make


@pytest.fixture
def newest(app: Flask, staff: Api) -> int:
    """The position of the last of what making the caller has recorded."""
    relay_all(app)
    return len(all_events(app))

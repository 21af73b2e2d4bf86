"""From a commit to the broker: every wake-up leads to a message, and few to many."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from threading import Event

import pytest
from flask import Flask

from stockroom.core.background import dispatch
from stockroom.core.background.dispatch import Dispatcher
from stockroom.core.background.jobs import Job, bind_jobs
from tests.core.background.listening import commit_wake, started
from tests.threads import PATIENCE_SECONDS, until


class Broker:
    """Takes messages when it may, and fails where it should."""

    def __init__(self) -> None:
        self._sent: SimpleQueue[str] = SimpleQueue()
        self.may_take = Event()
        self.may_take.set()
        self.failures = 0
        self.asked = 0

    def send(self, name: str) -> None:
        self.asked += 1
        assert self.may_take.wait(PATIENCE_SECONDS)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        self._sent.put(name)

    def next(self) -> str:
        return self._sent.get(timeout=PATIENCE_SECONDS)

    @property
    def is_empty(self) -> bool:
        return self._sent.empty()


@pytest.fixture
def other_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app()
    bind_jobs(app.extensions, [Job("tests.one", print, 1), Job("tests.two", print, 1)])
    return app


def dispatching(app: Flask, broker: Broker) -> AbstractContextManager[Dispatcher]:
    return started(app, Dispatcher(app, broker.send))


def test_a_commit_sends_the_job_that_it_wakes(other_app: Flask) -> None:
    broker = Broker()
    with dispatching(other_app, broker):
        commit_wake(other_app, "tests.one")
        assert broker.next() == "tests.one"
        commit_wake(other_app, "tests.two")
        assert broker.next() == "tests.two"


def test_many_wake_ups_at_once_are_few_messages(other_app: Flask) -> None:
    broker = Broker()
    broker.may_take.clear()
    with dispatching(other_app, broker) as dispatcher:
        dispatcher.wake({"tests.one"})
        until(lambda: broker.asked)
        for _ in range(100):
            dispatcher.wake({"tests.one", "tests.two"})
        broker.may_take.set()
        assert broker.next() == "tests.one"
        assert {broker.next(), broker.next()} == {"tests.one", "tests.two"}
    assert broker.is_empty


def test_a_job_that_this_version_does_not_know_is_not_sent(other_app: Flask) -> None:
    broker = Broker()
    with dispatching(other_app, broker):
        commit_wake(other_app, "tests.newer")
        commit_wake(other_app, "tests.one")
        assert broker.next() == "tests.one"
    assert broker.is_empty


def test_a_broker_that_was_away_is_sent_to_again(
    other_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE_SECONDS", 0.01)
    broker = Broker()
    broker.failures = 3
    with dispatching(other_app, broker) as dispatcher:
        for failures in (2, 1, 0):
            dispatcher.wake({"tests.one"})
            until(lambda failures=failures: broker.failures == failures)
        dispatcher.wake({"tests.two"})
        assert broker.next() == "tests.two"


def test_a_dispatcher_that_was_never_started_can_be_stopped(other_app: Flask) -> None:
    Dispatcher(other_app, print).stop()

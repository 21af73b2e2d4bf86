"""Wake-ups: sent by commits alone, and heard again after the connection was lost."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from urllib.parse import quote

import pytest
from flask import Flask

from stockroom.core.background.wakeups import listen, wake
from stockroom.core.transaction import transaction
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.extensions import db
from tests.core.background.listening import commit_wake, drop_listeners, listeners, started
from tests.embedded.conftest import QUICK, new_folder
from tests.threads import PATIENCE_SECONDS, elsewhere, until


class Listener:
    """Keeps what it hears."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._heard: SimpleQueue[set[str]] = SimpleQueue()
        self._stop = Event()
        self._thread = Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def next(self) -> set[str]:
        return self._heard.get(timeout=PATIENCE_SECONDS)

    @property
    def is_quiet(self) -> bool:
        try:
            self._heard.get_nowait()
        except Empty:
            return True
        return False

    def _run(self) -> None:
        with self._app.app_context():
            listen(self._stop, self._heard.put)


@pytest.fixture
def listener(app: Flask) -> Iterator[Listener]:
    with started(app, Listener(app)) as listener:
        yield listener


def test_a_commit_wakes_the_job_that_it_names(app: Flask, listener: Listener) -> None:
    commit_wake(app, "tests.work")
    assert listener.next() == {"tests.work"}


def test_nobody_is_woken_before_the_commit(app: Flask, listener: Listener) -> None:
    with app.app_context(), transaction() as session:
        wake(session, "tests.early")
        session.flush()
        elsewhere(lambda: commit_wake(app, "tests.other"))
        assert listener.next() == {"tests.other"}
    assert listener.next() == {"tests.early"}


def test_a_transaction_that_is_rolled_back_wakes_nobody(app: Flask, listener: Listener) -> None:
    with app.app_context(), transaction(dry_run=True) as session:
        wake(session, "tests.undone")
    commit_wake(app, "tests.done")
    assert listener.next() == {"tests.done"}
    assert listener.is_quiet


def test_a_listener_whose_connection_is_lost_makes_another(app: Flask, listener: Listener) -> None:
    dropped = drop_listeners(app)
    until(lambda: listeners(app) - dropped)
    commit_wake(app, "tests.work")
    assert listener.next() == {"tests.work"}


def test_a_listener_takes_no_connection_from_the_pool(app: Flask, listener: Listener) -> None:
    with app.app_context():
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a pool with a size


@pytest.mark.heavy
def test_a_listener_outlives_a_database_that_goes_away(make_app: Callable[..., Flask]) -> None:
    with new_folder(0o755) as folder:
        server = EmbeddedPostgres(folder / "postgres", settings=QUICK)
        address = f"postgresql://stockroom@/stockroom?host={quote(server.start().host, safe='')}"
        app = make_app(database_url=address)
        try:
            with started(app, Listener(app)) as listener:
                server.stop()
                server.start()
                until(lambda: listeners(app))
                commit_wake(app, "tests.work")
                assert listener.next() == {"tests.work"}
        finally:
            server.stop()

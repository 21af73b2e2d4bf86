"""Who listens for wake-ups, as the database sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from flask import Flask
from sqlalchemy import text

from stockroom.core.background.wakeups import CHANNEL, wake
from stockroom.core.transaction import reading, transaction
from tests.threads import until

_LISTENERS = text(
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND query = :listen AND state = 'idle'"
).bindparams(listen=f"LISTEN {CHANNEL}")


class Listens(Protocol):
    """What listens in a thread of its own."""

    def start(self) -> object: ...

    def stop(self) -> object: ...


T = TypeVar("T", bound=Listens)


@contextmanager
def started(app: Flask, one: T) -> Iterator[T]:
    """What listens, from the moment that the database knows of it."""
    one.start()
    try:
        until(lambda: listeners(app))
        yield one
    finally:
        one.stop()


def listeners(app: Flask) -> set[int]:
    """The server's processes of the connections that listen."""
    with app.app_context(), reading() as session:
        return set(session.scalars(_LISTENERS))


def drop_listeners(app: Flask) -> set[int]:
    """End the connections that listen, as a restart of the server does; returns which."""
    dropped = listeners(app)
    with app.app_context(), reading() as session:
        for pid in dropped:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return dropped


def commit_wake(app: Flask, job: str) -> None:
    with app.app_context(), transaction() as session:
        wake(session, job)

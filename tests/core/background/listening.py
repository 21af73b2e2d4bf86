"""Who listens for wake-ups, as the database sees it."""

from flask import Flask
from sqlalchemy import text

from stockroom.core.background.wakeups import CHANNEL, wake
from stockroom.core.transaction import reading, transaction

_LISTENERS = text(
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND query = :listen AND state = 'idle'"
).bindparams(listen=f"LISTEN {CHANNEL}")


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

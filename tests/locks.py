"""Who waits in the database for what another transaction has locked."""

from flask import Flask
from sqlalchemy import text

from stockroom.extensions import db

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def waiting() -> int:
    """How many connections of this test's database wait for another one.

    Asked on a connection of its own: within a transaction PostgreSQL shows one picture forever.
    """
    with db.engine.connect() as connection:
        return int(connection.scalar(_WAITING) or 0)


def someone_waits(app: Flask) -> bool:
    """Whether any connection to the application's database does."""
    with app.app_context():
        return waiting() > 0

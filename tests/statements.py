"""What an application sends to its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from psycopg2.extensions import cursor
from sqlalchemy import event

from stockroom.extensions import db


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement within the block, whichever way it goes; a message of several is one."""
    seen: list[str] = []

    class Noting(cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name
            seen.append(str(query))
            super().execute(query, vars)

    def watch(connection: Any, *_: object) -> None:
        connection.cursor_factory = Noting

    def let_be(connection: Any, *_: object) -> None:
        connection.cursor_factory = None

    with app.app_context():
        engine = db.engine
        event.listen(engine, "checkout", watch)
        event.listen(engine, "checkin", let_be)
        yield seen
    event.remove(engine, "checkout", watch)
    event.remove(engine, "checkin", let_be)

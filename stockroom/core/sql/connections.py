"""Connections of the pool: those that the server has left are replaced unseen."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError

LONGEST_REST_SECONDS = 30
"""After that a connection is asked whether it lives: what lies between may have forgotten it."""

_RESTED_AT = "stockroom.rested_at"


def watch(engine: Engine) -> None:
    """Look at each connection as it leaves the pool.

    A server that stops or restarts says so on the connection itself, which is read without a
    wait; asking it with a query each time, as SQLAlchemy's ``pool_pre_ping`` does, would cost
    every request a round trip.
    """

    def check(connection: Any, entry: Any, _proxy: Any) -> None:
        if connection.closed or _has_news(connection):
            # The others come from the same server, which has most likely left them too.
            raise InvalidatePoolError
        if monotonic() - entry.info.get(_RESTED_AT, monotonic()) > LONGEST_REST_SECONDS:
            _ask(engine, connection)

    def rest(_connection: Any, entry: Any) -> None:
        entry.info[_RESTED_AT] = monotonic()

    event.listen(engine, "checkout", check)
    event.listen(engine, "checkin", rest)


@contextmanager
def autocommitting(driver: Any) -> Iterator[None]:
    """Let each message to the server be a transaction of its own, until the block ends.

    By the driver's own switch: after SQLAlchemy's, ``isolation_level``, the way back from it costs
    a round trip each time, as psycopg2 then sets the level anew.

    :param driver: psycopg2's connection.
    """
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


def _has_news(connection: Any) -> bool:
    """Whether there is something to read, though nothing was asked: a goodbye, or the end."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _ask(engine: Engine, connection: Any) -> None:
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None

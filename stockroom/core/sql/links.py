"""Connections to PostgreSQL that nobody waits for: asked, and then looked at when there is news."""

import select
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extras import register_uuid

from stockroom.core.context import settings
from stockroom.core.sql import timeouts
from stockroom.core.sql.poolers import is_direct
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.statements import Row, Values
from stockroom.core.sql.together import parted
from stockroom.extensions import db

OPENING_SECONDS = 10.0
LONGEST_MESSAGE = 8 * 1024
"""In bytes: what a socket takes at once on which nothing is under way, so that nothing waits."""


class NotAsked(Exception):
    """Nothing was sent: the question is too long, or at fault."""


class Link:
    """One connection, which answers one message at a time. Of one thread alone."""

    def __init__(self, driver: Any) -> None:
        """:param driver: a connection of psycopg2's that was made with ``async_``."""
        self._driver = driver
        self._cursor = driver.cursor()
        self._known: set[str] = set()
        self._count = 1
        # The driver forgets it when the server goes away.
        self._fileno = int(driver.fileno())

    def fileno(self) -> int:
        return self._fileno

    def ask(self, query: Prepared, several: Sequence[Values]) -> None:
        """:param several: the values of each who asks; of one, unless they may ask together.
        :raises NotAsked: if the connection is as it was.
        :raises psycopg2.Error: if it is of no use any more.
        """
        self._count = len(several)
        try:
            message, learnt = self._message(query, several)
        except Exception as error:
            raise NotAsked from error
        if len(message) > LONGEST_MESSAGE:
            raise NotAsked
        self._cursor.execute(message)
        if learnt:
            self._known.add(learnt)

    def answers(self) -> list[list[Row]] | None:
        """All rows of each who has asked, once they have come; none where nobody has.

        :raises psycopg2.Error: for a query at fault or cut off, or a server that went away.
        """
        if self._driver.poll() != POLL_OK:
            return None
        rows = list(self._cursor.fetchall()) if self._cursor.description else []
        return [rows] if self._count == 1 else parted(rows, self._count)

    def _message(self, query: Prepared, several: Sequence[Values]) -> tuple[bytes, str | None]:
        if len(several) > 1 and query.together:
            return query.together.message(self._cursor, self._known, several)
        (values,) = several
        return query.message(self._cursor, self._known, values)

    def close(self) -> None:
        self._driver.close()


def open_link() -> Link | None:
    """Another connection such as those of the pool; None behind a pooler. It may take its time.

    :raises Exception: for whatever keeps it from being made.
    """
    pooled = db.engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        if not is_direct(driver):
            return None
        known = driver.info
        parameters = {**known.dsn_parameters, "password": known.password}
    finally:
        pooled.close()
    link = psycopg2.connect(**parameters, async_=True)
    # As the connections of the pool give them.
    register_uuid(conn_or_curs=link)  # type: ignore[no-untyped-call]
    _wait(link)
    # The connection alone does not keep it until the answer is there.
    cursor = link.cursor()
    cursor.execute(timeouts.of_session(settings()))
    _wait(link)
    return Link(link)


def _wait(link: Any) -> None:
    """:raises TimeoutError:"""
    until = monotonic() + OPENING_SECONDS
    while (state := link.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(link, {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}[state])
        if not poll.poll(1000 * max(0.0, until - monotonic())):
            raise TimeoutError

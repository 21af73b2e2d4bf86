"""Queries that are written out once, and planned once by each connection.

For what is asked all the time: such a query skips what SQLAlchemy does for each statement and
what the server does to plan it, and is one round trip.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import ClauseElement, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from stockroom.core.sql.connections import autocommitting
from stockroom.core.sql.refusals import translated
from stockroom.core.sql.statements import Row, Statement, Values, written
from stockroom.core.sql.together import Together
from stockroom.extensions import db

_KNOWN = "stockroom.prepared"


class Prepared:
    """A query with ``bindparam`` in place of its values, none of which is a list (``IN``).

    It sees what is committed when it begins, and is part of no transaction. A parameter with a
    value is a constant; one with a ``callable_`` is asked for its value each time.

    :ivar together: the same for several who ask at once, if it is brief.
    """

    def __init__(
        self, query: ClauseElement, *, keeps_plan: bool = True, is_brief: bool = False
    ) -> None:
        """:param keeps_plan: not where a good plan depends on the values.
        :param is_brief: whether one who asks may as well wait until others have their answers too.
        """
        text, self._parameters = written(query)
        self._statement = Statement(text, ["%s"] * len(self._parameters), keeps_plan=keeps_plan)
        self.together = Together(text, self._parameters) if is_brief else None

    @property
    def name(self) -> str:
        """Another one for each query, and the same in each process."""
        return self._statement.name

    def all(self, **values: Any) -> list[Row]:
        """Every row.

        :raises Unavailable: if the database does not answer.
        """
        arguments = self._arguments(values)
        with translated(), _autocommitting() as connection:
            cursor = connection.cursor()
            self._statement.run(cursor, connection.info.setdefault(_KNOWN, set()), arguments)
            return list(cursor.fetchall())

    def first(self, **values: Any) -> Row | None:
        """The first row, if there is any. Errors as for ``all``."""
        rows = self.all(**values)
        return rows[0] if rows else None

    def message(
        self, cursor: Any, known: Collection[str], values: Values
    ) -> tuple[bytes, str | None]:
        """All that asks for it, for who sends it without waiting for the answer.

        :param cursor: of psycopg2, on the connection that is asked.
        :param known: the names of what this connection keeps planned.
        :returns: with it the name that the connection knows from then on, if it is a new one.
        """
        return self._statement.message(cursor, known, self._arguments(values))

    def _arguments(self, values: Values) -> list[Any]:
        return [it.value(values) for it in self._parameters]


@contextmanager
def _autocommitting() -> Iterator[PoolProxiedConnection]:
    """A connection of the pool whose statements are no part of a transaction."""
    connection = db.engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        with autocommitting(driver):
            yield connection
    except psycopg2.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg2.Error) from error
    finally:
        if driver.closed:
            connection.invalidate()
        connection.close()

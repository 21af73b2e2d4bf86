"""Queries that are written out once, and planned once by each connection (PREPARE).

For what is asked all the time: such a query skips what SQLAlchemy does for each statement and
what the server does to plan it, and is one round trip.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2 import errors
from sqlalchemy import ClauseElement, PoolProxiedConnection
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError

from stockroom.core.connections import autocommitting
from stockroom.core.context import settings
from stockroom.core.transaction import translated
from stockroom.extensions import db

MOST_PLANS = 200
"""How many queries a connection keeps planned; those beyond are planned each time."""

_KNOWN = "stockroom.prepared"
_OUT_OF_STEP = (
    # A pooler has given the connection to another server process than before.
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    # A migration has changed what the query gives.
    errors.FeatureNotSupported,
)

Row = tuple[Any, ...]


class _Compiler(PGCompiler_asyncpg):
    """Writes constants out: with a parameter in its place, no partial index would be used."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **kwargs: Any) -> Any:
        """:raises TypeError: for a moment that would be the same one for ever."""
        if isinstance(bindparam.value, datetime):
            raise TypeError(f"{bindparam.key} is a moment: make it a parameter, or give a callable")
        if not (bindparam.required or bindparam.callable):
            kwargs["literal_binds"] = True
        return super().visit_bindparam(bindparam, *args, **kwargs)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_asyncpg):
    """Writes ``$1::UUID``, as PREPARE wants it; nothing is sent by way of asyncpg."""

    statement_compiler = _Compiler
    supports_statement_cache = True


_DIALECT = _Dialect()  # type: ignore[no-untyped-call]


class Prepared:
    """A query with ``bindparam`` in place of its values, none of which is a list (``IN``).

    It sees what is committed when it begins, and is part of no transaction. A parameter with a
    value is a constant; one with a ``callable_`` is asked for its value each time.
    """

    def __init__(self, query: ClauseElement, *, keeps_plan: bool = True) -> None:
        """:param keeps_plan: not where a good plan depends on the values."""
        compiled: Any = query.compile(dialect=_DIALECT)
        self._parameters: Sequence[str] = compiled.positiontup or ()
        binds = {name: compiled.binds[name] for name in self._parameters}
        self._askable = {name: bind.callable for name, bind in binds.items() if bind.callable}
        self._keeps_plan = keeps_plan
        numbered = str(compiled)
        # Behind a pooler, a connection may know it from another process.
        self.name = f"q_{sha256(numbered.encode()).hexdigest()[:32]}"
        self._written_out = _written_out(numbered)
        self._preparation = f"PREPARE {self.name} AS {numbered}"
        places = ", ".join(["%s"] * len(self._parameters))
        self._execute = f"EXECUTE {self.name}" + (f" ({places})" if places else "")

    def all(self, **values: Any) -> list[Row]:
        """Every row.

        :raises Unavailable: if the database does not answer.
        """
        arguments = self._arguments(values)
        with translated(), _autocommitting() as connection:
            cursor = connection.cursor()
            self._run(connection, cursor, arguments)
            return list(cursor.fetchall())

    def first(self, **values: Any) -> Row | None:
        """The first row, if there is any. Errors as for ``all``."""
        rows = self.all(**values)
        return rows[0] if rows else None

    def message(
        self, cursor: Any, known: Collection[str], values: Mapping[str, Any]
    ) -> tuple[bytes, str | None]:
        """All that asks for it, for who sends it without waiting for the answer.

        :param cursor: of psycopg2, on the connection that is asked.
        :param known: the names of what this connection keeps planned.
        :returns: with it the name that the connection knows from then on, if it is a new one.
        """
        arguments = self._arguments(values)
        if not self._may_plan(known):
            return cursor.mogrify(self._written_out, _numbered(arguments)), None
        execution: bytes = cursor.mogrify(self._execute, arguments)
        if self.name in known:
            return execution, None
        return f"{self._preparation};".encode() + execution, self.name

    def _arguments(self, values: Mapping[str, Any]) -> list[Any]:
        asked = {name: ask() for name, ask in self._askable.items()}
        return [_plain(asked[it] if it in asked else values[it]) for it in self._parameters]

    def _run(self, connection: PoolProxiedConnection, cursor: Any, arguments: list[Any]) -> None:
        known: set[str] = connection.info.setdefault(_KNOWN, set())
        if not self._may_plan(known):
            cursor.execute(self._written_out, _numbered(arguments))
            return
        try:
            if self.name not in known:
                cursor.execute(self._preparation)
                known.add(self.name)
            cursor.execute(self._execute, arguments)
        except _OUT_OF_STEP:
            known.discard(self.name)
            cursor.execute(self._written_out, _numbered(arguments))

    def _may_plan(self, known: Collection[str]) -> bool:
        if not (self._keeps_plan and settings().database_prepare):
            return False
        return self.name in known or len(known) < MOST_PLANS


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


def _written_out(numbered: str) -> str:
    """The same as psycopg2 takes it, with names in place of numbers: ``%(1)s`` for ``$1``."""
    return re.sub(r"\$(\d+)", r"%(\1)s", numbered.replace("%", "%%"))


def _numbered(arguments: list[Any]) -> dict[str, Any]:
    """The values of what is written out, by their numbers."""
    return {str(number): value for number, value in enumerate(arguments, 1)}


def _plain(value: Any) -> Any:
    """As psycopg2 takes it; the query says what type it has."""
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value

"""Rows by the thousand, sent with COPY: into a table, or into one for the transaction alone."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import psycopg2
from sqlalchemy import Table, TableClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable

PIECE = 256 * 1024
"""Characters that are handed to the driver at once."""

_json = json.JSONEncoder(separators=(",", ":")).encode


def copy_rows(
    session: Session, table: TableClause, names: Sequence[str], rows: Iterable[Iterable[Any]]
) -> None:
    """Append rows to a table.

    :param names: the columns that each row has a value for, in that order; others get the
        database's own defaults.
    :raises DBAPIError: as SQLAlchemy does for a statement of its own.
    """
    lines = ["\t".join([_WRITERS[type(value)](value) for value in row]) for row in rows]
    file = StringIO("\n".join(lines))
    columns = ", ".join(f'"{name}"' for name in names)
    # SQLAlchemy has no COPY; the driver's own runs in the transaction of the session.
    connection = session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - tells the type checker
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(statement, file, PIECE)
    except psycopg2.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg2.Error) from error


@contextmanager
def staged(
    session: Session, table: Table, names: Sequence[str], rows: Iterable[Iterable[Any]]
) -> Iterator[None]:
    """The rows in a temporary table, for set-based statements.

    It is dropped on the way out, and with the transaction at the latest: nothing stays in the
    connection, so that it can be shared behind PgBouncer in transaction mode.
    """
    session.execute(CreateTable(table))
    copy_rows(session, table, names, rows)
    yield
    session.execute(DropTable(table))


class _Writers(dict[type, Callable[[Any], str]]):
    """How a value of a type stands in COPY's text format."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        # Members of an enumeration of texts, and whatever PostgreSQL reads as Python writes it.
        return lambda value: _text(str(value))


def _text(text: str) -> str:
    # Most texts have none of these, and are looked through four times sooner than translated once.
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


_WRITERS = _Writers(
    {
        str: _text,
        type(None): lambda _: "\\N",
        int: str,
        bool: str,
        Decimal: str,
        UUID: lambda value: value.hex,
        datetime: datetime.isoformat,
        dict: lambda value: _text(_json(value)),
    }
)

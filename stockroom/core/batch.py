"""Writes that nobody waits for, left to the end of a transaction and sent in one message.

A round trip to the server costs more than most statements. PostgreSQL takes several of them in one
message and runs them in their order; where no transaction is open, they are one of their own: all
of them are done and committed, or none ("Multiple Statements in a Simple Query" in its manual).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from stockroom.core.connections import autocommitting
from stockroom.core.copying import copy_rows

MOST_IN_A_MESSAGE = 50
"""Beyond so many rows, a round trip for each statement is nothing beside the rest, and so
many of one insert cost less by COPY.
"""

_BATCH = "batch"

Statement = Insert | Update | Delete | Select[Any]


class _Left(NamedTuple):
    statement: Statement
    rows: Sequence[Mapping[str, Any]]


def leave(session: Session, statement: Statement, *rows: Mapping[str, Any]) -> None:
    """Have a statement run at the end of the present ``transaction`` block, once for each row.

    :param statement: a constant, as it is compiled once and kept. What it returns is lost.
    :param rows: each with a value for every parameter; those of an insert are its columns.
        Defaults that SQLAlchemy would set are to be given as well.
    """
    session.info.setdefault(_BATCH, []).append(_Left(statement, rows))


def send(session: Session, *, is_all: bool) -> None:
    """Run what was left, in its order.

    :param is_all: whether nothing will follow in this transaction.
    """
    left: list[_Left] = session.info.pop(_BATCH, [])
    if sum(len(rows) for _, rows in left) > MOST_IN_A_MESSAGE:
        for it in left:
            _send_one(session, it)
    elif left and is_all and not session.in_transaction():
        with (
            session.get_bind().engine.connect() as connection,
            autocommitting(connection.connection.driver_connection),
        ):
            _send_message(connection, left)
    elif left:
        _send_message(session.connection(), left)


def _send_one(session: Session, left: _Left) -> None:
    statement, rows = left
    if isinstance(statement, Insert) and len(rows) > MOST_IN_A_MESSAGE:
        names = list(rows[0])
        values = ([row[name] for name in names] for row in rows)
        copy_rows(session, statement.table, names, values)
    else:
        session.execute(statement, rows)


def _send_message(connection: Connection, left: Sequence[_Left]) -> None:
    texts, values = list[str](), dict[str, Any]()
    for statement, rows in left:
        for row in rows:
            prefix = f"p{len(texts)}_"
            compiled = _compiled(statement, tuple(row), connection.dialect)
            texts.append(compiled.text(prefix))
            values |= compiled.values(row, prefix)
    connection.exec_driver_sql(";\n".join(texts), values)


class _Compiled:
    """A statement as the driver takes it, whose parameters get names of their own in a message."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self._compiled = compiled
        self._processors: dict[str, Callable[[Any], Any] | None] = {
            name: bind.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
            for bind, name in compiled.bind_names.items()
        }

    def text(self, prefix: str) -> str:
        named = {name: f"%({prefix}{name})s" for name in self._processors}
        # A per cent sign stands twice for the driver, and does so again.
        return str(self._compiled).replace("%%", "%%%%") % named

    def values(self, row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        given = self._compiled.construct_params(row)
        return {
            f"{prefix}{name}": process(given[name]) if process else given[name]
            for name, process in self._processors.items()
        }


@lru_cache(maxsize=200)
def _compiled(statement: Statement, names: tuple[str, ...], dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - tells the type checker
    if unset := [it.name for it in (*compiled.insert_prefetch, *compiled.update_prefetch)]:
        raise TypeError(f"Nobody sets these columns: {', '.join(unset)}")
    return _Compiled(compiled)

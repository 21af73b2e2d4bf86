"""Writes that nobody waits for, left to the end of a transaction and sent in one message.

A round trip to the server costs more than most statements. PostgreSQL takes several of them in one
message and runs them in their order; where no transaction is open, they are one of their own: all
of them are done and committed, or none ("Multiple Statements in a Simple Query" in its manual).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, TextClause, Update
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from stockroom.core.sql.connections import autocommitting
from stockroom.core.sql.copying import copy_rows

MOST_IN_A_MESSAGE = 50
"""Beyond so many rows, a round trip for each statement is nothing beside the rest, and so
many of one insert cost less by COPY.
"""

_BATCH = "batch"
_PLAIN_INSERT = re.compile(
    r"(?P<head>INSERT INTO \S+ \([^()]+\) VALUES )(?P<row>\((%\(\w+\)s[^()]*)+\))"
)
"""One that computes no value, and says nothing of conflicts."""

Write = Insert | Update | Delete | Select[Any] | TextClause


class _Left(NamedTuple):
    statement: Write
    rows: Sequence[Mapping[str, Any]]


def leave(session: Session, statement: Write, *rows: Mapping[str, Any]) -> None:
    """Have a statement run at the end of the present ``transaction`` block, for each row. Inserts
    of rows that follow each other are one statement.

    :param statement: a constant, as it is compiled once and kept. What it returns is lost.
    :param rows: each with a value for every parameter; those of an insert of many are its columns.
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
    parts = ((it.statement, row) for it in left for row in it.rows)
    runs = [(shape, [row for _, row in run]) for shape, run in groupby(parts, key=_shape)]
    message = _message(tuple((*shape, len(rows)) for shape, rows in runs), connection.dialect)
    connection.exec_driver_sql(
        message.text, message.values([row for _, rows in runs for row in rows])
    )


def _shape(part: tuple[Write, Mapping[str, Any]]) -> tuple[Write, tuple[str, ...]]:
    statement, row = part
    return statement, tuple(row)


class _Message:
    """Statements as the driver takes them together: each has parameters with names of its own."""

    def __init__(self, runs: Sequence[tuple[SQLCompiler, int]]) -> None:
        """:param runs: each statement, and for how many rows in a row it is."""
        places = count()
        self._binds = list[list[_Bind]]()
        texts = list[str]()
        for compiled, rows in runs:
            own = [_binds(f"p{next(places)}_", compiled) for _ in range(rows)]
            self._binds += own
            texts += _texts(compiled, own)
        self.text = ";\n".join(texts)

    def values(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            bind.key: bind.value(row)
            for row, binds in zip(rows, self._binds, strict=True)
            for bind in binds
        }


def _texts(compiled: SQLCompiler, of_rows: Sequence[Sequence["_Bind"]]) -> Iterator[str]:
    """The statement for each row; but an insert is one for all of them."""
    # A per cent sign stands twice for the driver, and does so again.
    text = str(compiled).replace("%%", "%%%%")
    names = ({bind.name: f"%({bind.key})s" for bind in binds} for binds in of_rows)
    if plain := _PLAIN_INSERT.fullmatch(text):
        yield plain["head"] % () + ", ".join(plain["row"] % of_row for of_row in names)
    else:
        yield from (text % of_row for of_row in names)


class _Bind(NamedTuple):
    """A parameter of a statement.

    :ivar key: its name in the message.
    :ivar is_required: whether the row has to say what it is.
    :ivar constant: what it is where the row says nothing.
    """

    key: str
    name: str
    is_required: bool
    constant: Any
    process: Callable[[Any], Any] | None

    def value(self, row: Mapping[str, Any]) -> Any:
        """As the driver takes it.

        :raises KeyError: if the row lacks it.
        """
        given = row[self.name] if self.is_required else row.get(self.name, self.constant)
        return self.process(given) if self.process else given


def _binds(prefix: str, compiled: SQLCompiler) -> list[_Bind]:
    return [bind._replace(key=f"{prefix}{bind.name}") for bind in _own_binds(compiled)]


# Messages differ by the numbers of their rows, but consist of the same statements.
@lru_cache(maxsize=200)
def _own_binds(compiled: SQLCompiler) -> list[_Bind]:
    return [
        _Bind(
            name,
            name,
            bind.required,
            bind.effective_value,
            bind.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect),
        )
        for bind, name in compiled.bind_names.items()
    ]


@lru_cache(maxsize=200)
def _message(shapes: tuple[tuple[Write, tuple[str, ...], int], ...], dialect: Dialect) -> _Message:
    return _Message(
        [(_compiled(statement, names, dialect), rows) for statement, names, rows in shapes]
    )


@lru_cache(maxsize=200)
def _compiled(statement: Write, names: tuple[str, ...], dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - tells the type checker
    if unset := [it.name for it in (*compiled.insert_prefetch, *compiled.update_prefetch)]:
        raise TypeError(f"Nobody sets these columns: {', '.join(unset)}")
    return compiled

"""What PostgreSQL gets of a query: its text, written once, and planned once by each connection
(PREPARE).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg2 import errors
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg
from sqlalchemy.types import String, TypeEngine

from stockroom.core.context import settings

MOST_PLANS = 200
"""How many queries a connection keeps planned; those beyond are planned each time."""

_OUT_OF_STEP = (
    # A pooler has given the connection to another server process than before.
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    # A migration has changed what the query gives.
    errors.FeatureNotSupported,
)

_NUMBER = re.compile(r"\$(\d+)")

Row = tuple[Any, ...]
Values = Mapping[str, Any]
"""Of a query's parameters, by their names."""


class _Compiler(PGCompiler_asyncpg):
    """Writes constants out: with a parameter in its place, no partial index would be used."""

    def visit_bindparam(self, bindparam: Any, *args: Any, **kwargs: Any) -> Any:
        """:raises TypeError: for a moment that would be the same one for ever, and for a constant
        that would be taken for a parameter.
        """
        if isinstance(bindparam.value, datetime):
            raise TypeError(f"{bindparam.key} is a moment: make it a parameter, or give a callable")
        if not (bindparam.required or bindparam.callable):
            kwargs["literal_binds"] = True
            if re.search(_NUMBER, str(bindparam.value)):
                raise TypeError(f"{bindparam.key} holds a dollar and a digit: make it a parameter")
        return super().visit_bindparam(bindparam, *args, **kwargs)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_asyncpg):
    """Writes ``$1::UUID``, as PREPARE wants it; nothing is sent by way of asyncpg."""

    statement_compiler = _Compiler
    supports_statement_cache = True


_DIALECT = _Dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What stands in the text as a number.

    :ivar number: of the first, 1.
    :ivar supply: gives its value each time, if whoever asks the query does not.
    """

    number: int
    name: str
    type: TypeEngine[Any]
    supply: Callable[[], Any] | None

    def value(self, values: Values) -> Any:
        """As psycopg2 takes it; the query says what type it has.

        :param values: of whoever asks.
        """
        value = self.supply() if self.supply else values[self.name]
        if isinstance(value, UUID):
            return str(value)
        return value.value if isinstance(value, Enum) else value

    def list_type(self) -> str:
        """The name that a list of its values has in PostgreSQL.

        :raises CompileError: if the query does not say what type it has.
        """
        # A cast to a length would cut off what is longer.
        kind = String() if isinstance(self.type, String) else self.type
        return f"{kind.compile(dialect=_DIALECT)}[]"


def written(query: ClauseElement) -> tuple[str, list[Parameter]]:
    """Its text, with ``$1`` for the first of the parameters. Errors as for its constants
    (``_Compiler``).
    """
    compiled: Any = query.compile(dialect=_DIALECT)
    binds = ((name, compiled.binds[name]) for name in compiled.positiontup or ())
    return str(compiled), [
        Parameter(number, name, bind.type, bind.callable)
        for number, (name, bind) in enumerate(binds, 1)
    ]


class Statement:
    """A query's text, and the messages that ask a connection for it."""

    def __init__(self, text: str, places: Sequence[str], *, keeps_plan: bool) -> None:
        """:param text: with ``$1`` for the first argument.
        :param places: how the driver is to write each argument: ``%s``, or with a cast.
        """
        # Behind a pooler, a connection may know it from another process.
        self.name = f"q_{sha256(text.encode()).hexdigest()[:32]}"
        self._written_out = _written_out(text)
        self._preparation = f"PREPARE {self.name} AS {text}"
        self._execute = f"EXECUTE {self.name}" + (f" ({', '.join(places)})" if places else "")
        self._keeps_plan = keeps_plan

    def run(self, cursor: Any, known: set[str], arguments: Sequence[Any]) -> None:
        """Ask, and wait. Afterwards ``known`` has what the connection keeps planned."""
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

    def message(
        self, cursor: Any, known: Collection[str], arguments: Sequence[Any]
    ) -> tuple[bytes, str | None]:
        """All that asks for it, for who sends it without waiting for the answer.

        :returns: with it the name that the connection knows from then on, if it is a new one.
        """
        if not self._may_plan(known):
            return cursor.mogrify(self._written_out, _numbered(arguments)), None
        execution: bytes = cursor.mogrify(self._execute, arguments)
        if self.name in known:
            return execution, None
        return f"{self._preparation};".encode() + execution, self.name

    def _may_plan(self, known: Collection[str]) -> bool:
        if not (self._keeps_plan and settings().database_prepare):
            return False
        return self.name in known or len(known) < MOST_PLANS


def renumbered(text: str, names: Mapping[int, str]) -> str:
    """The text with names in place of some of its numbers."""
    return _NUMBER.sub(lambda found: names.get(int(found[1]), found[0]), text)


def _written_out(text: str) -> str:
    """The same as psycopg2 takes it, with names in place of numbers: ``%(1)s`` for ``$1``."""
    return _NUMBER.sub(r"%(\1)s", text.replace("%", "%%"))


def _numbered(arguments: Sequence[Any]) -> Mapping[str, Any]:
    """The values of what is written out, by their numbers."""
    return {str(number): value for number, value in enumerate(arguments, 1)}

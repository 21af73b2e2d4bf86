"""A query that several ask at once, each with other values, in one message.

A round trip, and what the server does for each message, takes longer than to find a row by its key.
"""

from collections.abc import Collection, Sequence
from typing import Any

from stockroom.core.sql.statements import Parameter, Row, Statement, Values, renumbered


class Together:
    """The query as a lateral join with a list of its values.

    One that has an order keeps it: PostgreSQL merges no such query into the one around it, but runs
    it for each who asks in turn. Without an order, the rows of each may come in any.
    """

    def __init__(self, text: str, parameters: Sequence[Parameter]) -> None:
        """:raises TypeError: if nobody gives it a value: then all may have the same answer.
        :raises CompileError: if the query does not say what types its values have.
        """
        self._parameters = parameters
        listed = {it.number: it for it in parameters if not it.supply}
        if not listed:
            raise TypeError("A query that is asked together needs a parameter")
        # In a query of its own, the planner does not see how long a list is. Else it would plan
        # anew each time, as a plan for just so many looks cheaper.
        lists = ", ".join(f"(SELECT ${n}::{it.list_type()})" for n, it in listed.items())
        columns = ", ".join(f"v{n}" for n in listed)
        of_one = renumbered(text, {n: f"asked.v{n}" for n in listed})
        self._statement = Statement(
            f"SELECT asked.place, answer.* FROM unnest({lists})"  # noqa: S608 - no value is in it
            f" WITH ORDINALITY AS asked({columns}, place) CROSS JOIN LATERAL ({of_one}) AS answer",
            ["%s" if it.supply else f"%s::{it.list_type()}" for it in parameters],
            keeps_plan=True,
        )

    def message(
        self, cursor: Any, known: Collection[str], several: Sequence[Values]
    ) -> tuple[bytes, str | None]:
        """As ``Statement.message``, with the values of each who asks."""
        arguments = [
            it.value({}) if it.supply else [it.value(values) for values in several]
            for it in self._parameters
        ]
        return self._statement.message(cursor, known, arguments)


def parted(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Whose rows are whose: those of each who asked.

    :param count: how many have asked.
    """
    parts: list[list[Row]] = [[] for _ in range(count)]
    for row in rows:
        parts[row[0] - 1].append(row[1:])
    return parts

"""Several who ask the same brief query in one turn of the loop ask it in one message."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Numeric,
    String,
    Uuid,
    bindparam,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.exc import CompileError

from stockroom.core.hot_reads.asking import MOST_TOGETHER, Asker
from stockroom.core.sql import links
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.core.sql.statements import Row
from tests.core.hot_reads.asking.loops import NAP, Loop, told

_WORD = bindparam("word", type_=String)
# What one message asks is answered by one process as of one moment.
_STAMP = func.concat(func.pg_backend_pid(), " ", func.statement_timestamp())
STAMPED = Prepared(select(_WORD, _STAMP), is_brief=True)
COUNT_DOWN = Prepared(
    select(column("number"))
    .select_from(func.generate_series(1, bindparam("most", type_=Integer)).alias("number"))
    .order_by(column("number").desc()),
    is_brief=True,
)
RECIPROCAL = Prepared(select(literal(1) / bindparam("number", type_=Integer)), is_brief=True)


class Colour(Enum):
    RED = "red"


def question(query: Prepared, **values: Any) -> Question[list[Row]]:
    return Question(lambda: query, values, list)


def rows_of(asker: Asker, loop: Loop, query: Prepared, *several: dict[str, Any]) -> list[list[Row]]:
    return told(asker, loop, *(question(query, **values) for values in several))


def test_each_gets_the_answer_to_what_it_asked(asker: Asker, loop: Loop) -> None:
    words = ["", "a", "it's", '"', "\\", "{b}", "$1", "%s", "NULL", "ü,ü"]
    found = rows_of(asker, loop, STAMPED, *({"word": word} for word in words))
    assert [[word for word, _ in rows] for rows in found] == [[word] for word in words]


def test_one_message_asks_for_some_and_another_for_the_rest(asker: Asker, loop: Loop) -> None:
    several = [{"word": str(number)} for number in range(2 * MOST_TOGETHER)]
    stamps = [rows[0][1] for rows in rows_of(asker, loop, STAMPED, *several)]
    assert len({*stamps[:MOST_TOGETHER]}) == len({*stamps[MOST_TOGETHER:]}) == 1
    assert len({*stamps}) == 2


def test_who_is_shown_many_rows_gets_all_of_them_in_their_order(asker: Asker, loop: Loop) -> None:
    found = rows_of(asker, loop, COUNT_DOWN, {"most": 3}, {"most": 0}, {"most": 2})
    assert found == [[(3,), (2,), (1,)], [], [(2,), (1,)]]


def test_those_who_ask_for_different_things_do_not_ask_together(asker: Asker, loop: Loop) -> None:
    asked = [question(STAMPED, word="a"), question(COUNT_DOWN, most=1)] * 2
    first, one, second, other = told(asker, loop, *asked)
    assert [first[0][0], second[0][0]] == ["a", "a"]
    assert first[0][1] == second[0][1]
    assert one == other == [(1,)]


def test_what_may_take_its_time_is_asked_for_one_by_one(asker: Asker, loop: Loop) -> None:
    assert NAP.together is None
    found = rows_of(asker, loop, NAP, {"word": "a"}, {"word": "b"})
    assert [rows[0][0] for rows in found] == ["a", "b"]


def test_where_one_is_at_fault_threads_ask_for_all(asker: Asker, loop: Loop) -> None:
    numbers = [{"number": number} for number in (1, 0, 2)]
    assert rows_of(asker, loop, RECIPROCAL, *numbers) == [None] * 3


def test_values_of_any_kind_arrive_as_they_are(asker: Asker, loop: Loop) -> None:
    kinds = {
        "uuid": Uuid(),
        "moment": DateTime(timezone=True),
        "price": Numeric(12, 2),
        "is_on": Boolean(),
        "number": BigInteger(),
        # Shorter than what is asked for, which is not cut off.
        "colour": String(2),
        "nothing": String(),
    }
    query = Prepared(
        select(*(bindparam(name, type_=kind) for name, kind in kinds.items())), is_brief=True
    )
    several = [
        {
            "uuid": uuid4(),
            "moment": datetime(2026, 1, number, 12, 30, 1, 5, tzinfo=UTC),
            "price": Decimal("0.10") + number,
            "is_on": number == 1,
            "number": 2**62 + number,
            "colour": Colour.RED,
            "nothing": None,
        }
        for number in (1, 2)
    ]
    assert rows_of(asker, loop, query, *several) == [query.all(**values) for values in several]


def test_a_value_that_the_query_asks_for_itself_is_asked_for_each_time(
    asker: Asker, loop: Loop
) -> None:
    turns = iter(range(10))
    turn = bindparam("turn", type_=Integer, callable_=lambda: next(turns))
    query = Prepared(select(_WORD, turn), is_brief=True)
    first = rows_of(asker, loop, query, {"word": "a"}, {"word": "b"})
    again = rows_of(asker, loop, query, {"word": "a"}, {"word": "b"})
    assert first == [[("a", 0)], [("b", 0)]]
    assert again == [[("a", 1)], [("b", 1)]]


def test_what_is_too_long_for_one_message_is_asked_one_by_one(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "LONGEST_MESSAGE", 3000)
    words = ["x" * 2000, "a", "y" * 2000, "z" * 4000]
    found = rows_of(asker, loop, STAMPED, *({"word": word} for word in words))
    assert [rows and rows[0][0] for rows in found] == [*words[:3], None]


def test_a_brief_query_has_to_say_what_types_its_values_have() -> None:
    with pytest.raises(CompileError):
        Prepared(select(bindparam("anything")), is_brief=True)


def test_a_brief_query_has_a_value_by_which_those_who_ask_differ() -> None:
    with pytest.raises(TypeError):
        Prepared(select(func.now()), is_brief=True)

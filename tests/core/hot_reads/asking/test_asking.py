"""What a loop asks PostgreSQL itself: nothing is waited for, and threads find what it cannot."""

import pytest
from sqlalchemy import Integer, bindparam, literal, select

from stockroom.config import LOOP_CONNECTIONS
from stockroom.core import cache
from stockroom.core.cache import memory
from stockroom.core.hot_reads import asking
from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.asking_once import AskingOnce
from stockroom.core.hot_reads.reads import HotRead
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.sql import links
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.core.sql.statements import Row
from stockroom.products.errors import ProductNotFound
from tests.core.hot_reads.asking.loops import ADDRESS, NAP, Loop, answers, ask, body, shown


def test_an_answer_comes_when_the_loop_has_turned(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    told = ask(once)
    assert told == []
    assert [body(it) for it in answers(asker, loop, told)] == [b"hello"]


def test_one_question_after_another_is_answered(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long it takes until a connection is free.
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 60)
    words = [str(number) for number in range(10 * LOOP_CONNECTIONS)]
    told = [ask(once, address=word, values={"word": word}) for word in words]
    assert [body(it) for it in answers(asker, loop, *told)] == [word.encode() for word in words]


def test_of_many_who_ask_for_one_address_all_have_the_same_answer(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long it takes to ask so often.
    monkeypatch.setattr(cache, "LONGEST_SECONDS", 60)
    found = answers(asker, loop, *(ask(once) for _ in range(100)))
    assert len(found) == 100
    assert {id(answer) for answer in found} == {id(found[0])}


def test_an_answer_that_would_be_too_old_is_asked_for_anew(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LONGEST_SECONDS", -1)
    before, after = ask(once), ask(once)
    one, other = answers(asker, loop, before, after)
    assert one is not other


def test_an_answer_from_before_a_write_is_given_but_not_kept(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    told = ask(once)
    memory().move_on()
    assert [body(it) for it in answers(asker, loop, told)] == [b"hello"]
    assert not memory().has(ADDRESS)


def test_who_asks_after_a_write_is_not_told_what_was_asked_before(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    before = ask(once, NAP)
    memory().move_on()
    after = ask(once)
    assert [body(it) for it in answers(asker, loop, after)] == [b"hello"]
    assert before == []
    answers(asker, loop, before)
    assert memory().at_hand(ADDRESS) in {None, after[0]}


def test_a_loop_asks_while_others_wait_for_long_answers(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    slow = [ask(once, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS - 1)]
    quick = ask(once)
    assert [body(it) for it in answers(asker, loop, quick)] == [b"hello"]
    assert slow == [[]] * (LOOP_CONNECTIONS - 1)
    assert len(answers(asker, loop, *slow)) == LOOP_CONNECTIONS - 1


def test_what_is_not_there_is_told_by_a_thread(asker: Asker, once: AskingOnce, loop: Loop) -> None:
    def nothing(_rows: list[Row]) -> Representation:
        raise ProductNotFound

    assert answers(asker, loop, ask(once, shown=nothing)) == [None]
    assert not memory().has(ADDRESS)


def test_what_goes_wrong_is_met_again_by_a_thread(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    def fault(_rows: list[Row]) -> Representation:
        raise ZeroDivisionError

    assert answers(asker, loop, ask(once, shown=fault)) == [None]
    assert [body(it) for it in answers(asker, loop, ask(once))] == [b"hello"]


def test_nobody_waits_for_a_query_that_cannot_be_written(once: AskingOnce) -> None:
    def written() -> Prepared:
        raise ZeroDivisionError

    read = HotRead("things", "/things", {}, lambda **_: question)
    question = Question(written, {}, shown)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            once.ask(ADDRESS, read, question, [].append)


def test_a_query_at_fault_is_left_to_a_thread(asker: Asker, once: AskingOnce, loop: Loop) -> None:
    divided = Prepared(select(literal(1) / bindparam("word", type_=Integer)))
    assert answers(asker, loop, ask(once, divided, values={"word": 0})) == [None]


def test_what_may_not_be_sent_at_once_is_left_to_a_thread(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "LONGEST_MESSAGE", 1000)
    too_long, at_fault = ask(once, values={"word": "x" * 1000}), ask(once, values={})
    assert answers(asker, loop, too_long, at_fault) == [None, None]
    assert [body(it) for it in answers(asker, loop, ask(once))] == [b"hello"]

"""What a loop asks PostgreSQL itself: nothing is waited for, and threads find what it cannot."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from selectors import DefaultSelector
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Integer, String, bindparam, func, literal, select, text

from stockroom.config import LOOP_CONNECTIONS
from stockroom.core import asking, cache, links
from stockroom.core.asking import Asker
from stockroom.core.cache import memory
from stockroom.core.hot_reads import HotRead
from stockroom.core.memory import Answer
from stockroom.core.prepared import Prepared, Row
from stockroom.core.representation import Question, Representation
from stockroom.core.transaction import reading
from stockroom.products.errors import ProductNotFound
from tests.pgbouncer import needs_pgbouncer, pgbouncer
from tests.threads import until

ADDRESS = "/things\0"
ECHO = Prepared(select(bindparam("word", type_=String)))
NAP = Prepared(select(bindparam("word", type_=String), func.pg_sleep(0.2)))
SUICIDE = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))

Asked = list[Answer | None]


class Loop:
    """Calls what has news, when a test wants it to turn."""

    def __init__(self) -> None:
        self.poller = DefaultSelector()

    def in_thread(self, work: Callable[[], Any], then: Callable[["Future[Any]"], None]) -> None:
        done: Future[Any] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - as an executor does
            done.set_exception(error)
        then(done)

    def turn(self, asker: Asker) -> None:
        for key, _ in self.poller.select(0.05):
            key.data(key.fileobj)
        asker.look_after()


def shown(rows: list[Row]) -> Representation:
    return Representation(str(rows[0][0]).encode(), "1")


def ask(asker: Asker, query: Prepared = ECHO, address: str = ADDRESS, **how: Any) -> Asked:
    """What becomes of a question, as soon as it is known."""
    told: Asked = []
    question = Question(
        lambda: query, how.get("values", {"word": "hello"}), how.get("shown", shown)
    )
    read = HotRead("things", "/things", {}, lambda **_: question)
    asker.ask(address, read, question, told.append)
    return told


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    # With it go the askers that it has called, and their connections.
    loop.poller.close()


@pytest.fixture
def asker(app: Flask, app_context: None, loop: Loop) -> Asker:
    return Asker(app, loop)


def answers(asker: Asker, loop: Loop, *asked: Asked) -> Asked:
    """What has become of all questions, after as many turns as that takes."""

    def are_known() -> bool:
        loop.turn(asker)
        return all(asked)

    until(are_known)
    return [answer for told in asked for answer in told]


def body(answer: Answer | None) -> bytes | None:
    return answer.body if answer else None


def test_an_answer_comes_when_the_loop_has_turned(asker: Asker, loop: Loop) -> None:
    told = ask(asker)
    assert told == []
    assert [body(it) for it in answers(asker, loop, told)] == [b"hello"]


def test_one_question_after_another_is_answered(asker: Asker, loop: Loop) -> None:
    words = [str(number) for number in range(10 * LOOP_CONNECTIONS)]
    told = [ask(asker, address=word, values={"word": word}) for word in words]
    assert [body(it) for it in answers(asker, loop, *told)] == [word.encode() for word in words]


def test_of_many_who_ask_for_one_address_all_have_the_same_answer(asker: Asker, loop: Loop) -> None:
    found = answers(asker, loop, *(ask(asker) for _ in range(100)))
    assert len(found) == 100
    assert {id(answer) for answer in found} == {id(found[0])}


def test_an_answer_that_would_be_too_old_is_asked_for_anew(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LONGEST_SECONDS", -1)
    before, after = ask(asker), ask(asker)
    one, other = answers(asker, loop, before, after)
    assert one is not other


def test_an_answer_from_before_a_write_is_given_but_not_kept(asker: Asker, loop: Loop) -> None:
    told = ask(asker)
    memory().move_on()
    assert [body(it) for it in answers(asker, loop, told)] == [b"hello"]
    assert not memory().has(ADDRESS)


def test_who_asks_after_a_write_is_not_told_what_was_asked_before(asker: Asker, loop: Loop) -> None:
    before = ask(asker, NAP)
    memory().move_on()
    after = ask(asker)
    assert [body(it) for it in answers(asker, loop, after)] == [b"hello"]
    assert before == []
    answers(asker, loop, before)
    assert memory().at_hand(ADDRESS) in {None, after[0]}


def test_a_loop_asks_while_others_wait_for_long_answers(asker: Asker, loop: Loop) -> None:
    slow = [ask(asker, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS - 1)]
    quick = ask(asker)
    assert [body(it) for it in answers(asker, loop, quick)] == [b"hello"]
    assert slow == [[]] * (LOOP_CONNECTIONS - 1)
    assert len(answers(asker, loop, *slow)) == LOOP_CONNECTIONS - 1


def test_what_is_not_there_is_told_by_a_thread(asker: Asker, loop: Loop) -> None:
    def nothing(_rows: list[Row]) -> Representation:
        raise ProductNotFound

    assert answers(asker, loop, ask(asker, shown=nothing)) == [None]
    assert not memory().has(ADDRESS)


def test_what_goes_wrong_is_met_again_by_a_thread(asker: Asker, loop: Loop) -> None:
    def fault(_rows: list[Row]) -> Representation:
        raise ZeroDivisionError

    assert answers(asker, loop, ask(asker, shown=fault)) == [None]
    assert [body(it) for it in answers(asker, loop, ask(asker))] == [b"hello"]


def test_a_query_at_fault_is_left_to_a_thread(asker: Asker, loop: Loop) -> None:
    divided = Prepared(select(literal(1) / bindparam("word", type_=Integer)))
    assert answers(asker, loop, ask(asker, divided, values={"word": 0})) == [None]


def test_what_may_not_be_sent_at_once_is_left_to_a_thread(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "LONGEST_MESSAGE", 1000)
    assert ask(asker, values={"word": "x" * 1000}) == [None]
    assert ask(asker, values={}) == [None]
    assert [body(it) for it in answers(asker, loop, ask(asker))] == [b"hello"]


def test_a_connection_that_dies_under_a_question_is_replaced(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REOPENED_SECONDS", 0)
    dying = [ask(asker, SUICIDE, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    assert answers(asker, loop, *dying) == [None] * LOOP_CONNECTIONS
    assert [body(it) for it in answers(asker, loop, ask(asker))] == [b"hello"]


def test_connections_that_the_server_has_closed_are_replaced(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )

    def are_gone() -> bool:
        loop.turn(asker)
        return not asker.is_ready()

    until(are_gone)
    monkeypatch.setattr(asking, "REOPENED_SECONDS", 0)
    asker.look_after()
    assert [body(it) for it in answers(asker, loop, ask(asker))] == [b"hello"]


def test_news_of_a_connection_that_is_lost_already_are_no_matter(asker: Asker, loop: Loop) -> None:
    stale = [*loop.poller.get_map().values()]
    asker._lost_after = -1  # noqa: SLF001 - as if all of them had not answered for long
    lost = [ask(asker, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    asker.look_after()
    assert lost == [[None]] * LOOP_CONNECTIONS
    for key in stale:
        key.data(key.fileobj)
    assert not asker.is_ready()


def test_a_question_that_finds_no_connection_in_time_is_left_to_a_thread(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0)
    busy = [ask(asker, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    waiting = ask(asker)
    asker.look_after()
    assert waiting == [None]
    assert None not in answers(asker, loop, *busy)


def test_no_more_questions_wait_than_may(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_WAITING", 1)
    told = [ask(asker, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS + 1)]
    assert not asker.is_ready()
    answers(asker, loop, *told)
    assert asker.is_ready()


def test_a_statement_is_cut_off_in_time(
    make_app: Callable[..., Flask], app_context: None, loop: Loop
) -> None:
    with make_app(database_statement_timeout_seconds=0.05).app_context() as context:
        asker = Asker(context.app, loop)
        assert answers(asker, loop, ask(asker, NAP)) == [None]


def test_an_answer_that_does_not_come_is_not_waited_for(
    asker: Asker, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "_lost_after", 0)
    told = ask(asker, NAP)
    asker.look_after()
    assert told == [None]


def test_while_the_server_is_away_nothing_is_asked(
    make_app: Callable[..., Flask], loop: Loop
) -> None:
    away = make_app(database_url="postgresql://nobody@127.0.0.1:1/shop")
    with away.app_context():
        assert not Asker(away, loop).is_ready()


@needs_pgbouncer
def test_behind_a_pooler_nothing_is_asked(
    servers: dict[str, str], database: str, make_app: Callable[..., Flask], loop: Loop
) -> None:
    with pgbouncer(servers["postgres"], connections=2) as address:
        pooled = make_app(database_url=address.format(database), database_prepare=True)
        with pooled.app_context():
            assert not Asker(pooled, loop).is_ready()

"""A loop whose connections break, are busy or not to be had: questions are left to threads."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.config import LOOP_CONNECTIONS
from stockroom.core.hot_reads import asking
from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.asking_once import AskingOnce
from stockroom.core.transaction import reading
from tests.core.hot_reads.asking.loops import NAP, SUICIDE, Loop, answers, ask, body
from tests.pgbouncer import needs_pgbouncer, pgbouncer
from tests.threads import until


def test_a_connection_that_dies_under_a_question_is_replaced(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "REOPENED_SECONDS", 0)
    dying = [ask(once, SUICIDE, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    assert answers(asker, loop, *dying) == [None] * LOOP_CONNECTIONS
    assert [body(it) for it in answers(asker, loop, ask(once))] == [b"hello"]


def test_connections_that_the_server_has_closed_are_replaced(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
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
    assert [body(it) for it in answers(asker, loop, ask(once))] == [b"hello"]


def test_news_of_a_connection_that_is_lost_already_are_no_matter(
    asker: Asker, once: AskingOnce, loop: Loop
) -> None:
    stale = [*loop.poller.get_map().values()]
    asker._lost_after = -1  # noqa: SLF001 - as if all of them had not answered for long
    lost = [ask(once, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    asker.send()
    asker.look_after()
    assert lost == [[None]] * LOOP_CONNECTIONS
    for key in stale:
        key.data(key.fileobj)
    assert not asker.is_ready()


def test_a_question_that_finds_no_connection_in_time_is_left_to_a_thread(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0)
    busy = [ask(once, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS)]
    waiting = ask(once)
    asker.send()
    asker.look_after()
    assert waiting == [None]
    assert None not in answers(asker, loop, *busy)


def test_no_more_questions_wait_than_may(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_WAITING", 1)
    told = [ask(once, NAP, address=str(it)) for it in range(LOOP_CONNECTIONS + 1)]
    asker.send()
    assert not asker.is_ready()
    answers(asker, loop, *told)
    assert asker.is_ready()


def test_a_statement_is_cut_off_in_time(
    make_app: Callable[..., Flask], app_context: None, loop: Loop
) -> None:
    with make_app(database_statement_timeout_seconds=0.05).app_context() as context:
        asker = Asker(context.app, loop)
        assert answers(asker, loop, ask(AskingOnce(asker), NAP)) == [None]


def test_an_answer_that_does_not_come_is_not_waited_for(
    asker: Asker, once: AskingOnce, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "_lost_after", 0)
    told = ask(once, NAP)
    asker.send()
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

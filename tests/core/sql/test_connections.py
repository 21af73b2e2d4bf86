"""Connections that the server has left are replaced before anybody works with them."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.core.sql import connections
from stockroom.core.transaction import reading
from stockroom.extensions import db

MY_PID = text("SELECT pg_backend_pid()")


@pytest.fixture
def single(make_app: Callable[..., Flask]) -> Flask:
    """An application with one connection."""
    return make_app(database_pool_size=1)


def pid(app: Flask) -> int:
    with app.app_context(), reading() as session:
        found: int = session.scalar(MY_PID)
    return found


def end(app: Flask, process: int) -> None:
    """Have the server end a connection, and wait until it has."""
    with app.app_context(), reading() as session:
        ended = text("SELECT pg_terminate_backend(:pid, 5000)")
        assert session.scalar(ended, {"pid": process})


def test_a_connection_is_used_again(single: Flask) -> None:
    assert pid(single) == pid(single)


def test_a_connection_that_the_server_has_ended_is_replaced(app: Flask, single: Flask) -> None:
    before = pid(single)
    end(app, before)
    assert pid(single) != before


def test_taking_a_connection_asks_the_server_nothing(single: Flask, statements: list[str]) -> None:
    with single.app_context():
        asked = []
        engine, ping = db.engine, db.engine.dialect.do_ping
        engine.dialect.do_ping = lambda link: asked.append(1) or ping(link)  # type: ignore[func-returns-value,method-assign]
        for _ in range(3):
            pid(single)
    assert asked == []


def test_one_that_has_rested_long_is_asked_whether_it_lives(
    app: Flask, single: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pid(single)
    monkeypatch.setattr(connections, "LONGEST_REST_SECONDS", -1)
    assert pid(single) == before
    monkeypatch.setattr(connections, "_has_news", lambda _link: False)
    end(app, before)
    assert pid(single) != before


def test_connections_that_died_while_idle_are_replaced_unseen(app_context: None) -> None:
    others = text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with reading() as first, reading() as second:
        second.execute(text("SELECT 1"))
        first.execute(text("SELECT 1"))
    with reading() as session:
        session.execute(others)
    with reading() as first, reading() as second:
        assert (first.scalar(text("SELECT 1")), second.scalar(text("SELECT 1"))) == (1, 1)


def test_a_server_that_has_vanished_is_noticed_by_who_has_asked_it(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        link = connection.connection.driver_connection
        assert link is not None
        asked = link.get_dsn_parameters()
    assert 0 < int(asked["tcp_user_timeout"]) <= 15_000
    assert 0 < int(asked["keepalives_idle"]) <= 30

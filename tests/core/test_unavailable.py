"""PostgreSQL away, and too few connections to it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.core.errors import Busy, Unavailable
from stockroom.core.transaction import reading, transaction
from stockroom.extensions import db
from tests.api import Api, assert_problem

NOBODY_LISTENS = "postgresql://shop:hunter2@127.0.0.1:1/shop"


def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_try_again(
    make_app: Callable[..., Flask],
) -> None:
    response = Api(make_app(database_url=NOBODY_LISTENS)).get("/products")
    problem = assert_problem(response, 503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert "hunter2" not in str(problem)
    assert "127.0.0.1" not in str(problem)


def test_a_statement_at_fault_is_not_blamed_on_the_server(app_context: None) -> None:
    with pytest.raises(Exception, match="does not exist") as caught, reading() as session:
        session.execute(text("SELECT * FROM nothing"))
    assert not isinstance(caught.value, Unavailable)


def test_a_connection_that_dies_under_a_transaction_is_unavailable(app_context: None) -> None:
    with pytest.raises(Unavailable), transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_too_few_connections_are_unavailable(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_pool_size=1)
    with app.app_context():
        db.engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # noqa: SLF001 - five seconds are long for a test
        with reading() as session:
            session.execute(text("SELECT 1"))
            with pytest.raises(Unavailable, match="busy"), reading() as other:
                other.execute(text("SELECT 1"))


def test_a_deadlock_is_told_as_such_and_nothing_was_changed(app_context: None) -> None:
    deadlock = text("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")
    with pytest.raises(Busy, match="in the way"), transaction() as session:
        session.execute(deadlock)

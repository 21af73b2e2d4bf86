"""Queries that connections keep planned, whatever happens to connections and tables."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import String, Uuid, bindparam, func, literal, literal_column, select, text

from stockroom.core.errors import Unavailable
from stockroom.core.sql import statements
from stockroom.core.sql.prepared import Prepared
from stockroom.core.transaction import reading
from stockroom.extensions import db


def shouting() -> Prepared:
    return Prepared(select(func.upper(bindparam("word", type_=String)), literal_column("'50%'")))


def plans() -> list[str]:
    """The names of what the one connection of the pool keeps planned."""
    with reading() as session:
        return list(session.scalars(text("SELECT name FROM pg_prepared_statements")))


@pytest.fixture
def single(make_app: Callable[..., Flask]) -> Flask:
    """An application with one connection."""
    return make_app(database_pool_size=1)


def test_a_query_is_planned_once_by_each_connection(single: Flask) -> None:
    with single.app_context():
        query = shouting()
        for word in ("a", "b", "it's", "%s"):
            assert query.all(word=word) == [(word.upper(), "50%")]
        assert len(plans()) == 1


def test_the_same_query_has_the_same_name_everywhere(single: Flask) -> None:
    with single.app_context():
        assert shouting().first(word="a") == shouting().first(word="a")
        assert len(plans()) == 1


def test_without_the_setting_nothing_is_planned_ahead(make_app: Callable[..., Flask]) -> None:
    with make_app(database_pool_size=1, database_prepare=False).app_context():
        assert shouting().first(word="a") == ("A", "50%")
        assert plans() == []


def test_what_the_values_decide_is_planned_each_time(single: Flask) -> None:
    with single.app_context():
        word = bindparam("word", type_=String)
        assert Prepared(select(word), keeps_plan=False).first(word="a") == ("a",)
        assert plans() == []


def test_a_connection_keeps_only_so_many_plans(
    single: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_PLANS", 2)
    with single.app_context():
        for number in range(4):
            assert Prepared(select(literal_column(str(number)))).first() == (number,)
        assert len(plans()) == 2


def test_a_query_that_the_server_has_forgotten_is_answered_all_the_same(single: Flask) -> None:
    with single.app_context():
        query = shouting()
        assert query.first(word="a") == ("A", "50%")
        with reading() as session:
            session.execute(text("DEALLOCATE ALL"))
        for _ in range(2):
            assert query.first(word="b") == ("B", "50%")


def test_a_query_on_a_table_that_has_changed_is_answered_all_the_same(single: Flask) -> None:
    everything = Prepared(select(text("*")).select_from(text("things")))
    with single.app_context():
        with reading() as session:
            session.execute(text("CREATE TEMPORARY TABLE things AS SELECT 1 AS a"))
        assert everything.all() == [(1,)]
        with reading() as session:
            session.execute(text("ALTER TABLE things ADD COLUMN b int"))
        for _ in range(2):
            assert everything.all() == [(1, None)]


def test_a_constant_that_looks_like_a_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="dollar"):
        Prepared(select(literal("costs $1")))


def test_a_value_may_stand_in_several_places(app_context: None) -> None:
    some_id = uuid4()
    parameter = bindparam("id", type_=Uuid)
    found = Prepared(select(parameter, parameter), keeps_plan=False).first(id=some_id)
    assert found == (some_id, some_id)


def test_a_connection_goes_back_as_it_came(single: Flask) -> None:
    with single.app_context():
        shouting().first(word="a")
        link = db.engine.raw_connection()
        assert not link.driver_connection.autocommit  # type: ignore[union-attr]
        link.close()


def test_a_connection_that_dies_under_a_query_is_unavailable(single: Flask) -> None:
    with single.app_context():
        dying = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid())))
        with pytest.raises(Unavailable):
            dying.first()
        assert shouting().first(word="a") == ("A", "50%")


def test_a_query_at_fault_is_not_blamed_on_the_server(single: Flask) -> None:
    with single.app_context():
        divided = Prepared(select(literal_column("1 / 0")))
        with pytest.raises(Exception, match="division by zero") as caught:
            divided.first()
        assert not isinstance(caught.value, Unavailable)
        assert shouting().first(word="a") == ("A", "50%")

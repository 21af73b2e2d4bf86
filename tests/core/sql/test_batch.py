"""Writes left to the end of a transaction: one message, in its order, all of it or nothing."""

# ruff: noqa: PT012 - the lines of a transaction are what is tested, not one of them.

from typing import Any

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from stockroom.core.database import new_id, now, table_of
from stockroom.core.permissions import Role
from stockroom.core.sql import batch
from stockroom.core.transaction import reading, transaction
from stockroom.users.errors import EmailTaken
from stockroom.users.models import User

pytestmark = pytest.mark.usefixtures("app_context")

USERS = table_of(User)
INSERT = insert(USERS)
RENAME = (
    update(USERS)
    .where(USERS.c.email == bindparam("address"))
    .values(full_name=USERS.c.full_name + bindparam("suffix"), updated_at=func.now())
)
REMOVE = delete(USERS).where(USERS.c.email == bindparam("address"))


def person(email: str = "ada@example.com", name: str = "Ada") -> dict[str, Any]:
    moment = now()
    return {
        "id": new_id(),
        "email": email,
        "full_name": name,
        "password_hash": "unused",
        "role": Role.STAFF,
        "is_active": True,
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
    }


def names() -> list[str | None]:
    with reading() as session:
        return [*session.scalars(select(User.full_name).order_by(User.email))]


def test_what_is_left_goes_to_the_server_in_one_message(statements: list[str]) -> None:
    with transaction() as session:
        batch.leave(session, INSERT, person(), person("bob@example.com", "Bob"))
        batch.leave(session, REMOVE, {"address": "nobody@example.com"})
        assert statements == []
    assert len(statements) == 1
    assert names() == ["Ada", "Bob"]


def test_rows_that_follow_each_other_into_a_table_are_one_statement(statements: list[str]) -> None:
    with transaction() as session:
        batch.leave(session, INSERT, person("bob@example.com", "Bob"))
        batch.leave(session, INSERT, person(), person("cy@example.com", "Cy"))
        batch.leave(session, RENAME, {"address": "bob@example.com", "suffix": "by"})
        batch.leave(session, INSERT, person("dee@example.com", "Dee"))
    assert statements[0].count("INSERT INTO") == 2
    assert names() == ["Ada", "Bobby", "Cy", "Dee"]


def test_what_says_how_conflicts_end_is_done_for_one_row_after_the_other() -> None:
    replace = upsert(USERS)
    replace = replace.on_conflict_do_update(index_elements=["id"], set_=replace.excluded)
    ada = person()
    with transaction() as session:
        batch.leave(session, replace, ada, ada | {"full_name": "Ada Lovelace"})
    assert names() == ["Ada Lovelace"]


def test_it_is_done_in_its_order() -> None:
    with transaction() as session:
        batch.leave(session, RENAME, {"address": "ada@example.com", "suffix": " before"})
        batch.leave(session, INSERT, person())
        batch.leave(session, RENAME, {"address": "ada@example.com", "suffix": " after"})
    assert names() == ["Ada after"]


def test_of_a_message_that_is_refused_nothing_is_done() -> None:
    with pytest.raises(EmailTaken), transaction() as session:
        batch.leave(session, INSERT, person(), person("bob@example.com"), person())
    assert names() == []


def test_after_a_refusal_the_connection_serves_the_next_transaction() -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        batch.leave(session, INSERT, person("ADA@example.com"))
    with transaction() as session:
        batch.leave(session, INSERT, person())
    assert names() == ["Ada"]


def test_what_was_asked_before_is_committed_together_with_it() -> None:
    with pytest.raises(EmailTaken), transaction() as session:
        session.execute(INSERT, person("bob@example.com"))
        batch.leave(session, INSERT, person(), person())
    assert names() == []


def test_the_inner_of_two_transactions_hears_what_is_refused_and_the_outer_commits() -> None:
    with transaction() as outer:
        with transaction() as inner:
            batch.leave(inner, INSERT, person())
        assert outer.scalar(select(func.count()).select_from(User)) == 1
    with pytest.raises(EmailTaken), transaction(), transaction() as inner:
        batch.leave(inner, INSERT, person("bob@example.com"), person())
    assert names() == ["Ada"]


def test_a_dry_run_lets_the_database_judge_and_keeps_nothing() -> None:
    with transaction(dry_run=True) as session:
        batch.leave(session, INSERT, person())
    with pytest.raises(EmailTaken), transaction(dry_run=True) as session:
        batch.leave(session, INSERT, person(), person())
    assert names() == []


def test_values_are_values_whatever_they_hold() -> None:
    odd = ["100 %", "%(p0_email)s", "'; DROP TABLE users; --", "%s", ":x", "\\"]
    with transaction() as session:
        people = (person(f"{n}@example.com", name) for n, name in enumerate(odd))
        batch.leave(session, INSERT, *people, person("z@example.com") | {"full_name": None})
    assert names() == [*odd, None]


def test_per_cent_signs_of_a_statement_reach_the_server() -> None:
    odd_ones = func.mod(func.length(USERS.c.email), 2) + USERS.c.version % 2
    with transaction() as session:
        batch.leave(session, INSERT, person())
        change = update(USERS).values(version=odd_ones, updated_at=func.now())
        batch.leave(session, change, {})
    with reading() as session:
        assert session.scalar(select(User.version)) == len("ada@example.com") % 2 + 1


def test_a_value_that_sqlalchemy_would_set_has_to_be_given() -> None:
    without_times = {"id": new_id(), "email": "ada@example.com", "password_hash": "unused"}
    with pytest.raises(TypeError, match="created_at"), transaction() as session:
        batch.leave(session, INSERT, without_times)


def test_of_many_rows_each_statement_has_a_message_and_all_are_one_transaction() -> None:
    many = [person(f"{n:03d}@example.com") for n in range(batch.MOST_IN_A_MESSAGE)]
    with pytest.raises(EmailTaken), transaction() as session:
        batch.leave(session, INSERT, *many)
        batch.leave(session, INSERT, many[0] | {"id": new_id()})
    assert names() == []
    with transaction() as session:
        batch.leave(session, INSERT, *many)
        batch.leave(session, RENAME, {"address": "000@example.com", "suffix": " after"})
    assert names() == ["Ada after", *["Ada"] * (len(many) - 1)]

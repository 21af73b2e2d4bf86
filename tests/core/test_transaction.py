"""Units of work: what is kept, what is not, and how the database's refusals are told."""

# ruff: noqa: PT012 - the lines of a transaction are what is tested, not one of them.

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from stockroom.core.errors import Busy, PreconditionFailed
from stockroom.core.transaction import (
    TRIES,
    after_commit,
    reading,
    retried,
    snapshot,
    transaction,
)
from stockroom.users.errors import EmailTaken
from stockroom.users.models import User
from tests.threads import at_once, elsewhere

pytestmark = pytest.mark.usefixtures("app_context")


class Interruption(Exception):
    pass


def person(email: str = "ada@example.com") -> User:
    return User(email=email, password_hash="unused")


def rename(app: Flask, user: User, name: str) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(User, user.id).full_name = name


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def test_a_transaction_is_committed_at_its_end() -> None:
    with transaction() as session:
        session.add(person())
    assert count() == 1


def test_an_error_rolls_everything_back() -> None:
    with pytest.raises(Interruption), transaction() as session:
        session.add(person())
        session.flush()
        raise Interruption
    assert count() == 0


def test_objects_stay_readable_after_the_commit() -> None:
    with transaction() as session:
        user = person()
        session.add(user)
    assert (user.email, user.version) == ("ada@example.com", 1)


def test_a_violated_constraint_is_the_error_that_names_it() -> None:
    with pytest.raises(EmailTaken), transaction() as session:
        session.add_all([person(), person()])
    assert count() == 0


def test_a_constraint_without_a_name_of_its_own_error_stays_what_it_is() -> None:
    with pytest.raises(IntegrityError, match="ck_users_email_lower"), transaction() as session:
        session.add(person("ADA@example.com"))


def test_a_row_that_another_changed_meanwhile_is_not_overwritten(app: Flask) -> None:
    with transaction() as session:
        user = person()
        session.add(user)
    with pytest.raises(PreconditionFailed), transaction() as first:
        mine = first.get_one(User, user.id)
        elsewhere(lambda: rename(app, user, "Ada Lovelace"))
        mine.full_name = "Somebody Else"
    with reading() as session:
        assert session.get_one(User, user.id).full_name == "Ada Lovelace"


def test_a_transaction_within_another_is_committed_with_it() -> None:
    with pytest.raises(Interruption), transaction():
        with transaction() as inner:
            inner.add(person())
        assert count() == 1
        raise Interruption
    assert count() == 0


def test_reading_within_a_transaction_sees_what_that_has_done() -> None:
    with transaction() as session:
        session.add(person())
        session.flush()
        assert count() == 1


def test_what_is_in_the_way_is_waited_for_and_tried_again(app: Flask) -> None:
    """Two that lock the same rows in opposite orders: one of them begins anew."""
    with transaction() as session:
        users = [person(), person("bob@example.com")]
        session.add_all(users)
    tries: list[int] = []

    @retried
    def lock(order: int) -> None:
        tries.append(order)
        with app.app_context(), transaction() as session:
            for user in users[::order]:
                session.get_one(User, user.id, with_for_update=True)
                session.execute(text("SELECT pg_sleep(0.05)"))

    at_once(lock, [1, -1])
    assert len(tries) > 2


def test_what_is_in_the_way_for_good_is_told(app: Flask) -> None:
    with transaction() as session:
        user = person()
        session.add(user)
    tries: list[int] = []

    @retried
    def lock() -> None:
        tries.append(1)
        with app.app_context(), transaction(lock_seconds=0.01) as other:
            other.get_one(User, user.id, with_for_update=True)

    with transaction() as session:
        session.get_one(User, user.id, with_for_update=True)
        with pytest.raises(Busy):
            elsewhere(lock)
    assert len(tries) == TRIES


def test_a_dry_run_keeps_nothing() -> None:
    with transaction(dry_run=True) as session:
        session.add(person())
    assert count() == 0


def test_a_dry_run_lets_the_database_judge() -> None:
    with pytest.raises(EmailTaken), transaction(dry_run=True) as session:
        session.add_all([person(), person()])


def test_what_waits_for_the_commit_is_called_once_it_is_visible() -> None:
    seen: list[int] = []
    with transaction() as session:
        session.add(person())
        after_commit(session, lambda: seen.append(count()))
        session.flush()
        assert seen == []
    assert seen == [1]


def test_what_waits_for_the_commit_is_called_in_its_order() -> None:
    seen: list[str] = []
    with transaction() as session:
        after_commit(session, lambda: seen.append("first"))
        after_commit(session, lambda: seen.append("second"))
    assert seen == ["first", "second"]


def test_without_a_commit_what_waits_for_it_is_never_called() -> None:
    seen: list[str] = []

    def wait(session: Session) -> None:
        after_commit(session, lambda: seen.append("called"))

    with transaction(dry_run=True) as session:
        wait(session)
    with pytest.raises(Interruption), transaction() as session:
        wait(session)
        raise Interruption
    with pytest.raises(EmailTaken), transaction() as session:
        wait(session)
        session.add_all([person(), person()])
    assert seen == []


def test_a_snapshot_cannot_write() -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), snapshot() as session:
        session.add(person())
        session.flush()


def test_a_snapshot_sees_one_moment() -> None:
    with snapshot() as session:
        before = session.scalar(select(func.count()).select_from(User))
        with transaction() as other:
            other.add(person())
        assert session.scalar(select(func.count()).select_from(User)) == before == 0


def test_a_reading_session_sees_what_is_committed_between_its_queries() -> None:
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0
        with transaction() as other:
            other.add(person())
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_reading_leaves_no_transaction_open() -> None:
    with reading() as session:
        session.execute(select(User))
        state = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with reading() as observer:
            assert observer.scalar(state, {"pid": pid}) == "idle"


def test_after_reading_a_transaction_on_the_same_connection_can_roll_back(app: Flask) -> None:
    with reading() as session:
        session.execute(select(User))
    with pytest.raises(Interruption), transaction() as session:
        session.add(person())
        session.flush()
        raise Interruption
    assert count() == 0

"""What is told of failed logins, and to whom; what is kept of them, and for how long."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from stockroom.auth import throttling
from stockroom.auth.throttling import FREE_BY_ACCOUNT
from stockroom.core.database import now
from stockroom.users.models import User
from tests.api import Api
from tests.auth.failing import ADA, ELSEWHERE, HOME, NOBODY, attempt, fail, let_pass, rows
from tests.factories.users import PASSWORD, log_in, make_user
from tests.mail.written import written_to
from tests.outbox.events import all_events, relay_all, types_of


@pytest.fixture
def ada(app: Flask) -> User:
    return make_user(app, email=ADA)


def mails_to(app: Flask, address: str) -> list[str]:
    return [mail.template for mail in written_to(app, address)]


def questions(statements: list[str]) -> list[str]:
    """What is asked, whatever a connection of the pool has yet to prepare for it."""
    return [statement for statement in statements if not statement.startswith("PREPARE ")]


def test_failures_are_events(app: Flask, ada: User) -> None:
    attempt(app, address=ELSEWHERE)
    (failed,) = [it for it in all_events(app) if it.type == "user.login_failed"]
    assert (failed.subject, failed.actor_id, failed.address) == (ada.id, None, ELSEWHERE)
    assert failed.data == {}


def test_failures_at_an_address_without_an_account_have_one_subject(app: Flask) -> None:
    fail(app, 2, email=NOBODY)
    fail(app, 1, email="somebody-else@example.com")
    first, second, third = all_events(app)
    assert first.subject == second.subject != third.subject


def test_the_owner_gets_one_mail_of_a_series(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1, address=ELSEWHERE)
    let_pass(app, timedelta(minutes=5))
    fail(app, 1, address=ELSEWHERE)
    relay_all(app)
    assert mails_to(app, ADA) == ["auth/login_blocked"]


def test_of_an_address_without_an_account_nobody_gets_a_mail(app: Flask) -> None:
    fail(app, FREE_BY_ACCOUNT + 1, email=NOBODY)
    relay_all(app)
    assert mails_to(app, NOBODY) == []


def test_for_an_unknown_address_the_same_is_asked_of_the_database(
    app: Flask, ada: User, statements: list[str]
) -> None:
    for number in range(FREE_BY_ACCOUNT + 3):
        statements.clear()
        known = attempt(app, ADA, address=HOME)
        asked = questions(statements)
        statements.clear()
        unknown = attempt(app, NOBODY, address=ELSEWHERE)
        assert questions(statements) == asked, number
        assert known.status_code == unknown.status_code
        assert set(known.headers.keys()) == set(unknown.headers.keys())


def test_the_table_names_neither_addresses_nor_networks(app: Flask, ada: User) -> None:
    fail(app, 1)
    kept = [f"{row.account} {row.network}" for row in rows(app)]
    assert kept
    assert not any(ADA in row or HOME in row for row in kept)


def test_a_removed_account_leaves_nothing_behind(app: Flask, ada: User) -> None:
    owner = Api(app, log_in(app, ada)["access_token"])
    fail(app, 1, address=ELSEWHERE)
    owner.delete("/users/me", if_match="*")
    assert [row.account for row in rows(app)] == [""]


def test_an_administrator_lets_an_account_in_again(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1)
    result = app.test_cli_runner().invoke(args=["users", "unblock", ADA])
    assert (result.exit_code, result.output) == (0, f"{ADA} may log in again at once.\n")
    assert types_of(app, ada.id)[-1] == "user.login_unblocked"
    assert attempt(app, password=PASSWORD).status_code == 200


def test_what_counts_no_longer_is_removed(app: Flask, ada: User) -> None:
    fail(app, 1, address=ELSEWHERE)
    attempt(app, password=PASSWORD, address=HOME)
    moment: datetime = now()
    let_pass(app, timedelta(days=2))
    with app.app_context():
        assert throttling.remove_old() == 1
    (home,) = rows(app)
    assert home.trusted_until is not None
    assert home.trusted_until > moment

"""Failed logins make the next ones wait, and lock nobody out for good."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from stockroom.auth import service as auth
from stockroom.auth import throttling
from stockroom.auth.models import FailedLogins
from stockroom.auth.throttling import FREE_BY_ACCOUNT, FREE_BY_NETWORK
from stockroom.core.database import now
from stockroom.core.transaction import reading, transaction
from stockroom.mail import repository as mails
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, log_in, make_user, token_for
from tests.outbox.events import all_events, relay_all, types_of
from tests.threads import at_once

ADA = "ada@example.com"
WRONG = "wrong password"
NOBODY = "nobody@example.com"
HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"


@pytest.fixture
def ada(app: Flask) -> User:
    return make_user(app, email=ADA)


def attempt(
    app: Flask, email: str = ADA, password: str = WRONG, address: str = HOME
) -> TestResponse:
    body = {"email": email, "password": password}
    return Api(app).post("/auth/login", json=body, environ_base={"REMOTE_ADDR": address})


def fail(app: Flask, times: int, email: str = ADA, address: str = HOME) -> None:
    for _ in range(times):
        assert attempt(app, email, address=address).status_code == 401


def rows(app: Flask) -> list[FailedLogins]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(FailedLogins).order_by(FailedLogins.account)))


def let_pass(app: Flask, time: timedelta) -> None:
    """Set every moment in the table back, as if the time had passed."""
    columns = (FailedLogins.counted_at, FailedLogins.blocked_until, FailedLogins.trusted_until)
    with app.app_context(), transaction() as session:
        session.execute(update(FailedLogins).values({it: it - time for it in columns}))


def wait_of(response: TestResponse) -> int:
    assert_problem(response, 429, "too-many-attempts")
    return int(response.headers["Retry-After"])


def mails_to(app: Flask, address: str) -> list[str]:
    with app.app_context(), reading() as session:
        return [mail.template for mail in mails.written_to(session, address)]


def test_some_failures_cost_nothing(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT)
    assert attempt(app, password=PASSWORD).status_code == 200


def test_after_those_even_the_right_password_has_to_wait(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1)
    assert wait_of(attempt(app, password=PASSWORD)) == 1
    let_pass(app, timedelta(seconds=2))
    assert attempt(app, password=PASSWORD).status_code == 200


def test_each_wait_is_twice_as_long_up_to_a_quarter_of_an_hour(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT)
    waits = []
    for _ in range(12):
        fail(app, 1)
        waits.append(wait_of(attempt(app)))
        let_pass(app, timedelta(minutes=15))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_what_is_refused_while_waiting_is_not_counted(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1)
    for _ in range(5):
        assert attempt(app).status_code == 429
    let_pass(app, timedelta(seconds=1))
    fail(app, 1)
    assert wait_of(attempt(app)) == 2


def test_failures_of_yesterday_are_forgotten(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1)
    let_pass(app, timedelta(days=1, minutes=1))
    fail(app, FREE_BY_ACCOUNT)
    assert attempt(app, password=PASSWORD).status_code == 200


def test_a_login_forgets_the_failures_of_its_account(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT)
    attempt(app, password=PASSWORD)
    fail(app, FREE_BY_ACCOUNT)
    assert attempt(app, password=PASSWORD).status_code == 200


def test_a_stranger_keeps_nobody_from_logging_in_at_home(app: Flask, ada: User) -> None:
    assert attempt(app, password=PASSWORD, address=HOME).status_code == 200
    fail(app, FREE_BY_ACCOUNT + 1, address=ELSEWHERE)
    assert attempt(app, password=PASSWORD, address=ELSEWHERE).status_code == 429
    assert attempt(app, password=PASSWORD, address=HOME).status_code == 200


def test_at_home_too_failures_make_wait(app: Flask, ada: User) -> None:
    attempt(app, password=PASSWORD)
    fail(app, FREE_BY_ACCOUNT + 1)
    assert wait_of(attempt(app, password=PASSWORD)) == 1


def test_home_is_where_the_last_login_is_not_too_long_ago(app: Flask, ada: User) -> None:
    attempt(app, password=PASSWORD, address=HOME)
    let_pass(app, timedelta(days=91))
    fail(app, FREE_BY_ACCOUNT + 1, address=ELSEWHERE)
    assert attempt(app, password=PASSWORD, address=HOME).status_code == 429


def test_whoever_changes_the_password_need_not_wait(app: Flask, ada: User) -> None:
    fail(app, FREE_BY_ACCOUNT + 1, address=ELSEWHERE)
    with app.app_context():
        auth.set_password(ada.id, "quite another passphrase")
    login = attempt(app, password="quite another passphrase", address=ELSEWHERE)
    assert login.status_code == 200


def test_one_network_cannot_try_one_password_on_many_accounts(app: Flask, ada: User) -> None:
    for number in range(FREE_BY_NETWORK + 1):
        fail(app, 1, email=f"user{number}@example.com", address=ELSEWHERE)
    assert wait_of(attempt(app, password=PASSWORD, address=ELSEWHERE)) == 1
    assert attempt(app, password=PASSWORD, address=HOME).status_code == 200


def test_a_network_of_ipv6_is_what_one_customer_has(app: Flask) -> None:
    for number in range(FREE_BY_NETWORK + 1):
        fail(app, 1, email=f"user{number}@example.com", address=f"2001:db8:1:2::{number:x}")
    assert attempt(app, address="2001:db8:1:2:ffff::1").status_code == 429
    assert attempt(app, address="2001:db8:1:3::1").status_code == 401


def test_every_process_counts_the_same(
    app: Flask, make_app: Callable[..., Flask], ada: User
) -> None:
    fail(app, FREE_BY_ACCOUNT)
    other = make_app()
    fail(other, 1)
    assert attempt(app).status_code == 429


def test_fifty_failures_at_once_are_fifty(app: Flask, ada: User) -> None:
    attempts = at_once(lambda _: attempt(app), range(50))
    assert {answer.status_code for answer in attempts} <= {401, 429}
    failed = sum(answer.status_code == 401 for answer in attempts)
    assert {row.failures for row in rows(app)} == {failed}
    assert types_of(app, ada.id).count("user.login_failed") == failed
    assert types_of(app, ada.id).count("user.login_blocked") == 1


@pytest.mark.parametrize("spelling", ["ADA@example.com", " ada@EXAMPLE.com "])
def test_every_spelling_of_an_address_is_one_account(app: Flask, ada: User, spelling: str) -> None:
    fail(app, FREE_BY_ACCOUNT + 1)
    assert attempt(app, email=spelling).status_code == 429


@pytest.mark.parametrize("path", ["/auth/reauthenticate", "/auth/password/change"])
def test_a_password_is_not_guessed_with_a_token_either(app: Flask, ada: User, path: str) -> None:
    owner = Api(app, token_for(app, ada))
    wrong = {"password": WRONG}
    if path.endswith("change"):
        wrong = {"current_password": WRONG, "new_password": "quite another one"}
    for _ in range(FREE_BY_ACCOUNT + 1):
        assert_problem(owner.post(path, json=wrong), 401, "bad-credentials")
    assert_problem(owner.post(path, json=wrong), 429, "too-many-attempts")


def test_the_token_endpoint_counts_as_well(app: Flask, ada: User) -> None:
    form = {"grant_type": "password", "username": ADA, "password": WRONG}
    for _ in range(FREE_BY_ACCOUNT + 1):
        assert Api(app).post("/auth/token", data=form).status_code == 400
    assert wait_of(Api(app).post("/auth/token", data=form)) == 1


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
        asked = [*statements]
        statements.clear()
        unknown = attempt(app, NOBODY, address=ELSEWHERE)
        assert statements == asked, number
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

"""Failed logins make the next ones wait, and lock nobody out for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from stockroom.auth import service as auth
from stockroom.auth.throttling import FREE_BY_ACCOUNT, FREE_BY_NETWORK
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.failing import ADA, ELSEWHERE, HOME, WRONG, attempt, fail, let_pass, rows
from tests.factories.users import PASSWORD, make_user, token_for
from tests.outbox.events import types_of
from tests.threads import at_once


@pytest.fixture
def ada(app: Flask) -> User:
    return make_user(app, email=ADA)


def wait_of(response: TestResponse) -> int:
    assert_problem(response, 429, "too-many-attempts")
    return int(response.headers["Retry-After"])


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

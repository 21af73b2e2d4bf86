"""What somebody does at the moment at which the account is removed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import transaction
from stockroom.mail.models import Mail
from stockroom.stock.models import Level
from stockroom.users import repository, service
from stockroom.users.models import User
from stockroom.verification.service import answer_requests
from tests.api import Api, assert_problem
from tests.auth.overtaking import meanwhile
from tests.factories.products import make_product
from tests.locks import someone_waits
from tests.second_factor.authenticator import Authenticator, Owner
from tests.threads import elsewhere, until
from tests.users.removing import forget_removed, forget_removed_later, remove, stored
from tests.verification.proving import ADA, BOB, change, forget

T = TypeVar("T")

ADDRESS = {"REMOTE_ADDR": "203.0.113.77"}


def remove_while_it_waits(app: Flask, user: User, act: Callable[[], T]) -> T:
    """What ``act`` returns, which the removal of the account has overtaken."""
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            repository.get(session, user.id, lock=True)
            under_way = pool.submit(act)
            until(lambda: someone_waits(app))
            service.remove(user.id)
        return under_way.result()


def test_a_removal_and_the_answer_to_a_request_for_a_mail_do_not_stop_each_other(
    app: Flask, user: User, nobody: Api
) -> None:
    def answer() -> None:
        with app.app_context():
            answer_requests()

    forget(nobody)
    remove_while_it_waits(app, user, answer)
    assert ADA not in stored(app)


def test_a_removal_and_a_second_factor_that_is_confirmed_do_not_stop_each_other(
    app: Flask, user: User, ada: Api
) -> None:
    authenticator = Authenticator(ada.post("/auth/totp").get_json()["otpauth_uri"])
    body = {"code": authenticator.code()}
    answer = remove_while_it_waits(app, user, lambda: ada.post("/auth/totp/confirm", json=body))
    assert_problem(answer, 404, "user-not-found")
    assert ADA not in stored(app)


def test_a_removal_and_new_recovery_codes_do_not_stop_each_other(app: Flask, user: User) -> None:
    api = Owner(app, user).api
    answer = remove_while_it_waits(app, user, lambda: api.post("/auth/totp/recovery-codes"))
    assert_problem(answer, 404, "user-not-found")
    assert ADA not in stored(app)


def test_a_change_of_address_that_is_asked_for_meanwhile_is_refused(
    app: Flask, user: User, ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: service.remove(user.id))
    answer = change(ada)
    assert ADA not in stored(app)
    assert BOB not in stored(app)
    assert_problem(answer, 401, "bad-credentials")


def test_what_an_order_leaves_that_was_under_way_is_forgotten_two_hours_later(
    app: Flask, user: User, ada: Api
) -> None:
    make_product(app, sku="MUG", stock=1)
    body, key = {"lines": [{"sku": "MUG", "quantity": 1}]}, {"Idempotency-Key": "order-of-ada"}
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            session.execute(select(Level).with_for_update())
            order = pool.submit(
                ada.post, "/reservations", json=body, headers=key, environ_base=ADDRESS
            )
            until(lambda: someone_waits(app))
            elsewhere(lambda: remove(app, user.id))
        assert order.result().status_code == 201
    forget_removed(app)
    assert "203.0.113.77" in stored(app)
    forget_removed_later(app)
    assert "203.0.113.77" not in stored(app)
    assert "order-of-ada" not in stored(app)


def test_a_mail_that_was_being_sent_is_forgotten_two_hours_later(
    app: Flask, user: User, ada: Api
) -> None:
    change(ada)
    with app.app_context(), transaction() as session:
        session.execute(select(Mail).with_for_update())
        elsewhere(lambda: remove(app, user.id))
    assert ADA in stored(app)
    forget_removed_later(app)
    assert "@example.com" not in stored(app)


def test_what_is_forgotten_is_not_looked_for_again(
    app: Flask, user: User, statements: list[str]
) -> None:
    remove(app, user.id)
    forget_removed_later(app)
    statements.clear()
    forget_removed(app)
    assert not [it for it in statements if it.startswith(("UPDATE", "DELETE"))]

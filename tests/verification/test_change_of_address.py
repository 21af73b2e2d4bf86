"""Another address is the account's once a mail to it was answered."""

from flask import Flask

from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, make_user
from tests.outbox.events import types_of
from tests.verification.letters import kinds_to, token_to
from tests.verification.proving import ADA, BOB, NEW, change


def test_an_address_changes_once_the_new_one_confirms_it(
    app: Flask, ada: Api, user: User, nobody: Api
) -> None:
    assert (change(ada).status_code, change(ada).data) == (202, b"")
    assert ada.get("/users/me").get_json()["email"] == ADA
    token = token_to(app, BOB, "change")
    assert nobody.post("/auth/email/confirm", json={"token": token}).status_code == 204
    own = ada.get("/users/me").get_json()
    assert (own["email"], own["email_verified"]) == (BOB, True)
    assert kinds_to(app, ADA)[-2:] == ["change_announced", "changed"]
    assert types_of(app, user.id)[-1] == "user.email_changed"
    assert_problem(
        nobody.post("/auth/email/confirm", json={"token": token}), 401, "invalid-mailed-token"
    )


def test_a_change_of_address_takes_the_password(app: Flask, ada: Api) -> None:
    assert_problem(change(ada, password="not the password"), 401, "bad-credentials")
    assert kinds_to(app, BOB) == []


def test_the_address_that_it_is_already_is_refused(ada: Api) -> None:
    assert_problem(change(ada, email=ADA), 422, "validation-error")


def test_who_wants_the_address_of_another_account_learns_nothing(app: Flask, ada: Api) -> None:
    make_user(app, email=BOB)
    assert change(ada).status_code == 202
    assert kinds_to(app, BOB) == ["address_taken"]


def test_an_address_that_is_taken_meanwhile_stays_with_who_took_it(
    app: Flask, ada: Api, nobody: Api
) -> None:
    change(ada)
    token = token_to(app, BOB, "change")
    make_user(app, email=BOB)
    taken = nobody.post("/auth/email/confirm", json={"token": token})
    assert_problem(taken, 409, "email-taken")
    assert ada.get("/users/me").get_json()["email"] == ADA


def test_another_password_stops_a_change_of_address(app: Flask, ada: Api, nobody: Api) -> None:
    change(ada)
    body = {"current_password": PASSWORD, "new_password": NEW}
    ada.post("/auth/password/change", json=body)
    token = token_to(app, BOB, "change")
    stopped = nobody.post("/auth/email/confirm", json={"token": token})
    assert_problem(stopped, 401, "invalid-mailed-token")

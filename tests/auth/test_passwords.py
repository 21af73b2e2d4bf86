"""Changing the password, and giving it once more."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.auth import service
from stockroom.auth.models import LoginSession
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.overtaking import meanwhile
from tests.factories.users import PASSWORD, token_for
from tests.outbox.events import types_of

NEW = "quite another passphrase"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}


def let_time_pass(app: Flask) -> None:
    """Every password was given long ago."""
    with app.app_context(), transaction() as session:
        session.execute(update(LoginSession).values(authenticated_at=now() - timedelta(hours=1)))


def log_in_with(api: Api, password: str) -> int:
    body = {"email": "ada@example.com", "password": password}
    return api.post("/auth/login", json=body).status_code


def test_a_password_is_changed_by_who_knows_it(ada: Api, nobody: Api) -> None:
    assert ada.post("/auth/password/change", json=CHANGE).status_code == 204
    assert (log_in_with(nobody, PASSWORD), log_in_with(nobody, NEW)) == (401, 200)


def test_a_wrong_password_changes_nothing(ada: Api, nobody: Api) -> None:
    wrong = CHANGE | {"current_password": "not the password"}
    assert_problem(ada.post("/auth/password/change", json=wrong), 401, "bad-credentials")
    assert log_in_with(nobody, PASSWORD) == 200


def test_of_two_changes_at_once_the_second_finds_another_password(
    ada: Api, user: User, nobody: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: service.set_password(user.id, NEW))
    body = CHANGE | {"new_password": "a third passphrase"}
    assert_problem(ada.post("/auth/password/change", json=body), 401, "bad-credentials")
    monkeypatch.undo()
    assert log_in_with(nobody, NEW) == 200


def test_a_change_ends_the_other_sessions_and_not_this_one(
    app: Flask, ada: Api, user: User
) -> None:
    other = Api(app, token_for(app, user))
    ada.post("/auth/password/change", json=CHANGE)
    assert_problem(other.get("/users/me"), 401, "unauthenticated")
    assert ada.get("/users/me").status_code == 200


def test_a_change_is_told_of(app: Flask, ada: Api, user: User) -> None:
    ada.post("/auth/password/change", json=CHANGE)
    assert "user.password_changed" in types_of(app, user.id)
    with app.app_context():
        mails = app.test_cli_runner().invoke(args=["mail", "list"]).output
    assert "auth/password_changed" in mails


def test_what_opens_doors_asks_for_a_recent_login(app: Flask, ada: Api) -> None:
    let_time_pass(app)
    refused = ada.delete("/users/me", if_match="*")
    assert_problem(refused, 403, "recent-login-required")
    assert ada.get("/users/me").status_code == 200
    assert ada.post("/auth/reauthenticate", json={"password": PASSWORD}).status_code == 204
    assert ada.delete("/users/me", if_match="*").status_code == 204


def test_a_wrong_password_is_no_recent_login(app: Flask, ada: Api) -> None:
    let_time_pass(app)
    wrong = ada.post("/auth/reauthenticate", json={"password": "not the password"})
    assert_problem(wrong, 401, "bad-credentials")
    refused = ada.delete("/users/me", if_match="*")
    assert_problem(refused, 403, "recent-login-required")


def test_a_refresh_is_no_recent_login(app: Flask, user: User, nobody: Api) -> None:
    login = {"email": user.email, "password": PASSWORD}
    tokens = nobody.post("/auth/login", json=login).get_json()
    let_time_pass(app)
    body = {"refresh_token": tokens["refresh_token"]}
    refreshed = nobody.post("/auth/refresh", json=body).get_json()
    ada = Api(app, refreshed["access_token"])
    assert_problem(ada.delete("/users/me", if_match="*"), 403, "recent-login-required")

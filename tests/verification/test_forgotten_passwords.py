"""A forgotten password is replaced by whoever reads the mails to the address."""

from datetime import timedelta

import pytest
from flask import Flask

from stockroom.users import service as users
from stockroom.users.models import User
from stockroom.verification import service
from tests.api import Api, assert_problem
from tests.factories.api_keys import make_key
from tests.factories.users import PASSWORD
from tests.outbox.events import all_events, last_event, types_of
from tests.second_factor.authenticator import Owner
from tests.threads import at_once
from tests.verification.letters import kinds_to, letters_to, token_to
from tests.verification.proving import (
    ADA,
    BOB,
    CREDENTIALS,
    NEW,
    account,
    forget,
    let_pass,
    register,
    reset,
)


def test_a_forgotten_password_is_replaced_and_all_sessions_end(
    app: Flask, ada: Api, nobody: Api
) -> None:
    forget(nobody)
    assert reset(nobody, token_to(app, ADA, "reset")).status_code == 204
    assert_problem(ada.get("/users/me"), 401, "unauthenticated")
    assert nobody.post("/auth/login", json=CREDENTIALS).status_code == 401
    assert nobody.post("/auth/login", json=CREDENTIALS | {"password": NEW}).status_code == 200


def test_a_reset_is_told_of_by_events_and_mail(app: Flask, user: User, nobody: Api) -> None:
    forget(nobody)
    reset(nobody, token_to(app, ADA, "reset"))
    assert {"user.password_forgotten", "user.password_reset"} <= {*types_of(app, user.id)}
    assert last_event(app).actor_id == user.id
    assert letters_to(app, ADA)[-1].template == "auth/password_changed"


def test_a_reset_proves_the_address(app: Flask, nobody: Api) -> None:
    register(nobody)
    forget(nobody)
    reset(nobody, token_to(app, ADA, "reset"))
    assert account(app).email_verified


def test_a_reset_takes_the_account_from_whoever_opened_it_first(app: Flask, nobody: Api) -> None:
    register(nobody)
    stranger = account(app)
    key = make_key(app, stranger).key
    Owner(app, stranger)
    forget(nobody)
    reset(nobody, token_to(app, ADA, "reset"))
    assert_problem(Api(app, key=key).get("/users/me"), 401, "unauthenticated")
    # No code is asked for.
    assert nobody.post("/auth/login", json=CREDENTIALS | {"password": NEW}).status_code == 200
    told = {event.type for event in all_events(app) if event.actor_id == stranger.id}
    assert {"api_key.revoked", "user.second_factor_disabled", "user.email_verified"} <= told


def test_a_reset_leaves_keys_and_second_factor_to_who_has_proven_the_address(
    app: Flask, user: User, nobody: Api
) -> None:
    key = make_key(app, user).key
    owner = Owner(app, user)
    forget(nobody)
    reset(nobody, token_to(app, ADA, "reset"))
    assert Api(app, key=key).get("/users/me").status_code == 200
    login = CREDENTIALS | {"password": NEW}
    assert_problem(nobody.post("/auth/login", json=login), 401, "second-factor-required")
    login["code"] = owner.authenticator.code(1)
    assert nobody.post("/auth/login", json=login).status_code == 200


def test_a_reset_link_is_good_once(app: Flask, user: User, nobody: Api) -> None:
    forget(nobody)
    token = token_to(app, ADA, "reset")
    assert reset(nobody, token).status_code == 204
    assert_problem(reset(nobody, token), 401, "invalid-mailed-token")


def test_of_two_resets_with_one_token_at_once_one_wins(app: Flask, user: User, nobody: Api) -> None:
    forget(nobody)
    token = token_to(app, ADA, "reset")
    passwords = [f"{NEW} {number}" for number in range(6)]
    answers = at_once(lambda password: reset(Api(app), token, password), passwords)
    assert sorted(it.status_code for it in answers) == [204] + [401] * 5
    logins = [
        nobody.post("/auth/login", json={"email": ADA, "password": password}).status_code
        for password, answer in zip(passwords, answers, strict=True)
        if answer.status_code == 204
    ]
    assert logins == [200]


def test_a_password_that_is_refused_does_not_use_the_token_up(
    app: Flask, user: User, nobody: Api
) -> None:
    forget(nobody)
    token = token_to(app, ADA, "reset")
    refused = assert_problem(reset(nobody, token, "password1"), 422, "validation-error")
    assert [*refused["errors"]] == ["new_password"]
    assert reset(nobody, token).status_code == 204


def test_a_token_expires(app: Flask, user: User, nobody: Api) -> None:
    forget(nobody)
    token = token_to(app, ADA, "reset")
    let_pass(app, timedelta(hours=1, seconds=1))
    assert_problem(reset(nobody, token), 401, "invalid-mailed-token")
    with app.app_context():
        assert service.remove_expired() == 1


@pytest.mark.parametrize("token", ["x", "é" * 20, "' OR 1=1", "0" * 43, "a" * 200])
@pytest.mark.parametrize("path", ["/verify-email", "/email/confirm", "/password/reset"])
def test_a_token_that_never_was_is_refused(nobody: Api, path: str, token: str) -> None:
    body = {"token": token} | ({"new_password": NEW} if "reset" in path else {})
    assert_problem(nobody.post(f"/auth{path}", json=body), 401, "invalid-mailed-token")


def test_a_token_is_good_for_its_purpose_alone(app: Flask, nobody: Api) -> None:
    register(nobody)
    verify = token_to(app, ADA, "verify")
    assert_problem(reset(nobody, verify), 401, "invalid-mailed-token")
    confirm = nobody.post("/auth/email/confirm", json={"token": verify})
    assert_problem(confirm, 401, "invalid-mailed-token")


@pytest.mark.parametrize("act", ["new password", "new address", "deactivated", "removed"])
def test_what_happens_to_the_account_makes_tokens_worthless(
    app: Flask, user: User, ada: Api, nobody: Api, act: str
) -> None:
    forget(nobody)
    token = token_to(app, ADA, "reset")
    with app.app_context():
        if act == "new address":
            users.change(user.id, {"email": BOB})
        elif act == "deactivated":
            users.change(user.id, {"is_active": False})
        elif act == "removed":
            users.remove(user.id)
    if act == "new password":
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert ada.post("/auth/password/change", json=body).status_code == 204
    assert_problem(reset(nobody, token), 401, "invalid-mailed-token")


def test_an_inactive_account_gets_no_mail(app: Flask, user: User, nobody: Api) -> None:
    with app.app_context():
        users.change(user.id, {"is_active": False})
    forget(nobody)
    assert kinds_to(app, ADA) == []

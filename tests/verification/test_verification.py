"""Mails prove whose an address is: registration, a forgotten password, another address."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from stockroom.core.database import now
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.users import service as users
from stockroom.users.models import User
from stockroom.verification import service
from stockroom.verification.models import MailedToken, MailRequest
from stockroom.verification.tokens import MAILS_AN_HOUR
from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, make_user, token_for
from tests.outbox.events import all_events, types_of
from tests.threads import at_once
from tests.verification.letters import kinds_to, letters_to, token_to

ADA, BOB = "ada@example.com", "bob@example.com"
NEW = "quite another passphrase"
CREDENTIALS = {"email": ADA, "password": PASSWORD}


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app, email=ADA)


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


def register(api: Api, email: str = ADA) -> TestResponse:
    return api.post("/auth/register", json={"email": email, "password": PASSWORD})


def forget(api: Api, email: str = ADA) -> None:
    answer = api.post("/auth/password/forgot", json={"email": email})
    assert (answer.status_code, answer.data) == (202, b"")


def reset(api: Api, token: str, password: str = NEW) -> TestResponse:
    return api.post("/auth/password/reset", json={"token": token, "new_password": password})


def account(app: Flask, email: str = ADA) -> User:
    with app.app_context():
        return users.get_by_email(email)


def let_pass(app: Flask, time: timedelta) -> None:
    """As if the tokens had been mailed that much earlier."""
    with app.app_context(), transaction() as session:
        columns = (MailedToken.created_at, MailedToken.expires_at)
        session.execute(update(MailedToken).values({it: it - time for it in columns}))


# Registration


def test_a_new_address_is_not_verified_until_the_token_comes_back(app: Flask, nobody: Api) -> None:
    assert register(nobody).get_json()["email_verified"] is False
    token = token_to(app, ADA, "verify")
    assert nobody.post("/auth/verify-email", json={"token": token}).status_code == 204
    assert account(app).email_verified
    assert types_of(app, account(app).id)[-1] == "user.email_verified"


def test_a_token_is_mailed_and_only_its_digest_stored(app: Flask, nobody: Api) -> None:
    register(nobody)
    token = token_to(app, ADA, "verify")
    assert len(token) == 43
    with app.app_context(), reading() as session:
        (stored,) = session.scalars(select(MailedToken))
    assert token not in {stored.digest, stored.address}


def test_an_account_may_have_to_be_verified_before_it_can_log_in(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    strict = Api(make_app(login_needs_verified_email=True))
    register(strict)
    assert_problem(strict.post("/auth/login", json=CREDENTIALS), 401, "email-not-verified")
    wrong = strict.post("/auth/login", json=CREDENTIALS | {"password": "not the password"})
    assert_problem(wrong, 401, "bad-credentials")
    strict.post("/auth/verify-email/request", json={"email": ADA})
    strict.post("/auth/verify-email", json={"token": token_to(app, ADA, "verify")})
    assert strict.post("/auth/login", json=CREDENTIALS).status_code == 200


def test_a_session_of_who_is_not_verified_ends_when_that_is_asked_for(
    app: Flask, make_app: Callable[..., Flask], nobody: Api
) -> None:
    register(nobody)
    login = nobody.post("/auth/login", json=CREDENTIALS).get_json()
    strict = Api(make_app(login_needs_verified_email=True), login["access_token"])
    assert_problem(strict.get("/users/me"), 401, "unauthenticated")


def test_of_a_taken_address_its_owner_is_told(app: Flask, user: User, nobody: Api) -> None:
    assert_problem(register(nobody, "ADA@example.com"), 409, "email-taken")
    assert kinds_to(app, ADA) == ["address_taken"]
    assert types_of(app, user.id)[-1] == "user.registration_refused"


def test_a_taken_address_changes_nothing_of_its_account(
    app: Flask, user: User, nobody: Api
) -> None:
    other = {"email": ADA, "password": NEW, "full_name": "Eve"}
    assert nobody.post("/auth/register", json=other).status_code == 409
    stored = account(app)
    assert (stored.full_name, stored.password_hash) == (user.full_name, user.password_hash)


def test_ten_registrations_of_one_address_at_once_make_one_account(app: Flask) -> None:
    statuses = [it.status_code for it in at_once(lambda _: register(Api(app)), range(10))]
    assert sorted(statuses) == [201] + [409] * 9


# Asking for the mail again


def test_whoever_is_logged_in_needs_no_body(app: Flask, nobody: Api) -> None:
    register(nobody)
    login = nobody.post("/auth/login", json=CREDENTIALS).get_json()
    answer = Api(app, login["access_token"]).post("/auth/verify-email/request")
    assert (answer.status_code, answer.data) == (202, b"")
    assert kinds_to(app, ADA) == ["verify", "verify"]


def test_whoever_is_verified_gets_no_more_mails(app: Flask, ada: Api) -> None:
    assert ada.post("/auth/verify-email/request").status_code == 202
    assert kinds_to(app, ADA) == []


def test_who_is_not_logged_in_has_to_name_an_address(nobody: Api) -> None:
    answer = nobody.post("/auth/verify-email/request")
    problem = assert_problem(answer, 422, "validation-error")
    assert [*problem["errors"]] == ["email"]


def test_only_the_newest_token_is_good(app: Flask, nobody: Api) -> None:
    register(nobody)
    first = token_to(app, ADA, "verify")
    nobody.post("/auth/verify-email/request", json={"email": ADA})
    second = token_to(app, ADA, "verify")
    stale = nobody.post("/auth/verify-email", json={"token": first})
    assert_problem(stale, 401, "invalid-mailed-token")
    assert nobody.post("/auth/verify-email", json={"token": second}).status_code == 204


def test_nobody_is_flooded_with_mails(app: Flask, user: User, nobody: Api) -> None:
    for _ in range(MAILS_AN_HOUR + 3):
        forget(nobody)
    assert kinds_to(app, ADA) == ["reset"] * MAILS_AN_HOUR
    assert reset(nobody, token_to(app, ADA, "reset")).status_code == 204


# A forgotten password


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
    assert letters_to(app, ADA)[-1].template == "auth/password_changed"


def test_a_reset_proves_the_address(app: Flask, nobody: Api) -> None:
    register(nobody)
    forget(nobody)
    reset(nobody, token_to(app, ADA, "reset"))
    assert account(app).email_verified


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


# Nobody learns who has an account


@pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/verify-email/request"])
def test_what_asks_for_a_mail_does_the_same_for_every_address(
    app: Flask, user: User, nobody: Api, statements: list[str], path: str
) -> None:
    seen = []
    for email in (ADA, "nobody@example.com"):
        statements.clear()
        answer = nobody.post(path, json={"email": email})
        headers = sorted(name for name, _ in answer.headers)
        seen.append((answer.status_code, answer.data, headers, [*statements]))
    assert seen[0] == seen[1]
    assert kinds_to(app, "nobody@example.com") == []
    with app.app_context(), reading() as session:
        assert session.scalars(select(MailRequest)).all() == []


def test_a_registration_asks_as_much_of_the_database_for_a_taken_address(
    app: Flask, user: User, nobody: Api, statements: list[str]
) -> None:
    counts = []
    for email in (ADA, BOB):
        statements.clear()
        register(nobody, email)
        counts.append(len(statements))
    assert counts[0] == counts[1]


# Another address


def change(api: Api, email: str = BOB, password: str = PASSWORD) -> TestResponse:
    return api.post("/auth/email/change", json={"email": email, "password": password})


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


# Links, and what is kept


def test_links_lead_to_the_front_end_where_there_is_one(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    shop = Api(make_app(account_url="https://shop.example/account"))
    register(shop)
    (letter,) = letters_to(app, ADA)
    expected = f"https://shop.example/account#purpose=verify&token={letter.params['token']}"
    assert letter.params["link"] == expected


def test_a_mail_says_where_it_was_asked_for(app: Flask, user: User, nobody: Api) -> None:
    nobody.post(
        "/auth/password/forgot",
        json={"email": ADA},
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    (letter,) = letters_to(app, ADA)
    assert letter.params["asked_from"] == "203.0.113.5"
    assert all_events(app)[-1].address == "203.0.113.5"


def test_what_waits_to_be_proven_is_exported_and_erased(app: Flask, ada: Api) -> None:
    change(ada)
    (waiting,) = ada.get("/users/me/export").get_json()["parts"]["mailed_tokens"]
    assert (waiting["purpose"], waiting["address"]) == ("change", BOB)
    ada.delete("/users/me", if_match="*")
    with app.app_context(), reading() as session:
        assert session.scalars(select(MailedToken)).all() == []


def test_an_account_that_an_administrator_makes_needs_no_proof(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    user = make_user(app, role=Role.STAFF)
    strict = make_app(login_needs_verified_email=True)
    assert Api(strict, token_for(strict, user)).get("/users/me").status_code == 200
    assert user.email_verified_at is not None
    assert user.email_verified_at <= now()

"""A registration proves whose the address is, by a mail."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading
from stockroom.mail.sending import send_due
from stockroom.users import service as users
from stockroom.users.models import User
from stockroom.verification.models import MailedToken
from stockroom.verification.tokens import MAILS_AN_HOUR
from tests.api import Api, assert_problem
from tests.outbox.events import types_of
from tests.threads import at_once
from tests.verification.letters import kinds_to, token_to
from tests.verification.proving import (
    ADA,
    CREDENTIALS,
    NEW,
    account,
    forget,
    register,
    reset,
)


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


def test_an_address_gets_no_more_mails_because_its_accounts_are_removed(
    app: Flask, nobody: Api
) -> None:
    for _ in range(MAILS_AN_HOUR):
        register(nobody)
        assert kinds_to(app, ADA) == ["verify"]
        with app.app_context():
            send_due()
            users.remove(account(app).id)
    register(nobody)
    assert kinds_to(app, ADA) == []

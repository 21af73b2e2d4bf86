"""A second factor: set up, asked for at the login, good once, switched off."""

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.auth.throttling import FREE_BY_ACCOUNT
from stockroom.core.transaction import reading
from stockroom.mail import repository as mails
from stockroom.second_factor.models import RecoveryCode, SecondFactor
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.test_passwords import let_time_pass
from tests.factories.users import PASSWORD, make_user, token_for
from tests.outbox.events import types_of
from tests.second_factor.authenticator import Authenticator, Owner
from tests.threads import at_once


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app, email="ada@example.com")


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


@pytest.fixture
def owner(app: Flask, user: User) -> Owner:
    owner = Owner(app, user)
    owner.forget_last_code()
    return owner


def mails_to(app: Flask, user: User) -> list[str]:
    with app.app_context(), reading() as session:
        return [mail.template for mail in mails.written_to(session, user.email)]


# Setting it up


def test_the_secret_comes_as_text_as_uri_and_as_a_picture(ada: Api) -> None:
    setup = ada.post("/auth/totp").get_json()
    assert re.fullmatch("[A-Z2-7]{32}", setup["secret"])
    assert Authenticator(setup["otpauth_uri"]).secret == setup["secret"]
    assert "ada%40example.com" in setup["otpauth_uri"]
    assert ET.fromstring(setup["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_before_it_is_confirmed_it_is_not_asked_for(ada: Api, nobody: Api, user: User) -> None:
    ada.post("/auth/totp")
    credentials = {"email": user.email, "password": PASSWORD}
    assert nobody.post("/auth/login", json=credentials).status_code == 200
    assert ada.get("/auth/totp").get_json() == {
        "enabled": False,
        "enabled_at": None,
        "recovery_codes_left": 0,
    }


def test_a_code_confirms_it_and_brings_ten_recovery_codes(app: Flask, owner: Owner) -> None:
    assert len({*owner.recovery_codes}) == 10
    assert all(re.fullmatch(r"([a-z2-9]{6}-){3}[a-z2-9]{6}", it) for it in owner.recovery_codes)
    state = owner.api.get("/auth/totp").get_json()
    assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
    assert "user.second_factor_enabled" in types_of(app, owner.user.id)
    assert mails_to(app, owner.user) == ["second_factor/enabled"]


def test_a_wrong_code_confirms_nothing(ada: Api) -> None:
    ada.post("/auth/totp")
    for code in ("000000", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "1"):
        answer = ada.post("/auth/totp/confirm", json={"code": code})
        assert_problem(answer, 409, "code-not-confirmed")
    assert ada.get("/auth/totp").get_json()["enabled"] is False


def test_there_is_nothing_to_confirm_before_it_has_begun(ada: Api) -> None:
    answer = ada.post("/auth/totp/confirm", json={"code": "123456"})
    assert_problem(answer, 404, "no-second-factor")


def test_whoever_begins_again_has_another_secret(ada: Api) -> None:
    first, second = (Authenticator(ada.post("/auth/totp").get_json()["otpauth_uri"]) for _ in "12")
    stale = ada.post("/auth/totp/confirm", json={"code": first.code()})
    assert_problem(stale, 409, "code-not-confirmed")
    assert ada.post("/auth/totp/confirm", json={"code": second.code()}).status_code == 200


def test_one_in_force_is_not_replaced(owner: Owner) -> None:
    assert_problem(owner.api.post("/auth/totp"), 409, "second-factor-enabled")
    again = owner.api.post("/auth/totp/confirm", json={"code": owner.authenticator.code()})
    assert_problem(again, 409, "second-factor-enabled")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("POST", "/confirm"), ("POST", "/recovery-codes"), ("DELETE", "")],
)
def test_changes_need_a_recent_login(app: Flask, owner: Owner, method: str, path: str) -> None:
    let_time_pass(app)
    answer = owner.api.request(method, f"/auth/totp{path}")
    assert_problem(answer, 403, "recent-login-required")


# Logging in


def test_a_login_needs_a_code(owner: Owner, nobody: Api) -> None:
    refused = nobody.post("/auth/login", json=owner.credentials())
    assert_problem(refused, 401, "second-factor-required")
    login = nobody.post("/auth/login", json=owner.credentials(owner.authenticator.code()))
    assert login.status_code == 200


def test_without_the_password_nobody_learns_of_a_second_factor(owner: Owner, nobody: Api) -> None:
    wrong = owner.credentials(owner.authenticator.code()) | {"password": "not the password"}
    assert_problem(nobody.post("/auth/login", json=wrong), 401, "bad-credentials")


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_a_clock_may_be_half_a_minute_off(
    owner: Owner, nobody: Api, steps: int, status: int
) -> None:
    code = owner.authenticator.code(steps)
    # A code of two steps away can be that of one step by chance, and then it is right.
    if status == 401 and code in {owner.authenticator.code(near) for near in (-1, 0, 1)}:
        pytest.skip("two codes are the same by chance")
    login = nobody.post("/auth/login", json=owner.credentials(code))
    # Where a step has just ended, what was one away is two.
    assert login.status_code in {status, 401} if steps in {-1, 1} else login.status_code == status


def test_a_code_is_good_once(owner: Owner, nobody: Api) -> None:
    credentials = owner.credentials(owner.authenticator.code())
    assert nobody.post("/auth/login", json=credentials).status_code == 200
    assert_problem(nobody.post("/auth/login", json=credentials), 401, "bad-code")


def test_the_code_that_confirmed_is_used_up_as_well(app: Flask, user: User, nobody: Api) -> None:
    owner = Owner(app, user)
    credentials = owner.credentials(owner.authenticator.code())
    assert_problem(nobody.post("/auth/login", json=credentials), 401, "bad-code")


def test_after_a_code_no_earlier_one_is_good(owner: Owner, nobody: Api) -> None:
    earlier, later = owner.authenticator.code(), owner.authenticator.code(1)
    assert nobody.post("/auth/login", json=owner.credentials(later)).status_code == 200
    assert_problem(nobody.post("/auth/login", json=owner.credentials(earlier)), 401, "bad-code")


def test_of_ten_logins_with_one_code_at_once_one_gets_in(app: Flask, owner: Owner) -> None:
    credentials = owner.credentials(owner.authenticator.code())
    answers = at_once(lambda _: Api(app).post("/auth/login", json=credentials), range(10))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert {*statuses[1:]} <= {401, 429}


def test_a_code_may_have_spaces(owner: Owner, nobody: Api) -> None:
    code = owner.authenticator.code()
    spaced = owner.credentials(f"{code[:3]} {code[3:]}")
    assert nobody.post("/auth/login", json=spaced).status_code == 200


def test_wrong_codes_are_failed_logins(owner: Owner, nobody: Api) -> None:
    for number in range(FREE_BY_ACCOUNT + 1):
        wrong = owner.credentials(f"wrong {number}")
        assert_problem(nobody.post("/auth/login", json=wrong), 401, "bad-code")
    right = owner.credentials(owner.authenticator.code())
    assert_problem(nobody.post("/auth/login", json=right), 429, "too-many-attempts")


def test_a_code_is_not_used_up_by_a_wrong_password(owner: Owner, nobody: Api) -> None:
    credentials = owner.credentials(owner.authenticator.code())
    nobody.post("/auth/login", json=credentials | {"password": "not the password"})
    assert nobody.post("/auth/login", json=credentials).status_code == 200


def test_the_token_endpoint_takes_the_code_as_well(owner: Owner, nobody: Api) -> None:
    form = {"grant_type": "password", "username": owner.user.email, "password": PASSWORD}
    refused = nobody.post("/auth/token", data=form).get_json()
    assert refused["error"] == "invalid_grant"
    assert "code" in refused["error_description"]
    code = owner.authenticator.code()
    assert nobody.post("/auth/token", data=form | {"code": code}).status_code == 200


def test_a_session_from_before_goes_on(owner: Owner) -> None:
    assert owner.api.get("/users/me").status_code == 200


def test_giving_the_password_again_takes_a_code_too(app: Flask, owner: Owner) -> None:
    let_time_pass(app)
    body = {"password": PASSWORD}
    refused = owner.api.post("/auth/reauthenticate", json=body)
    assert_problem(refused, 401, "second-factor-required")
    body["code"] = owner.authenticator.code()
    assert owner.api.post("/auth/reauthenticate", json=body).status_code == 204
    assert owner.api.delete("/auth/totp").status_code == 204


# Recovery codes


def test_a_recovery_code_is_good_once(app: Flask, owner: Owner, nobody: Api) -> None:
    credentials = owner.credentials(owner.recovery_codes[3])
    assert nobody.post("/auth/login", json=credentials).status_code == 200
    assert_problem(nobody.post("/auth/login", json=credentials), 401, "bad-code")
    assert owner.api.get("/auth/totp").get_json()["recovery_codes_left"] == 9
    assert "user.recovery_code_used" in types_of(app, owner.user.id)
    assert "second_factor/recovery_code_used" in mails_to(app, owner.user)


@pytest.mark.parametrize(
    "spell", [str.upper, lambda code: code.replace("-", ""), lambda code: code.replace("-", " ")]
)
def test_a_recovery_code_may_be_spelled_as_one_reads_it(
    owner: Owner, nobody: Api, spell: Callable[[str], str]
) -> None:
    credentials = owner.credentials(spell(owner.recovery_codes[0]))
    assert nobody.post("/auth/login", json=credentials).status_code == 200


def test_new_recovery_codes_replace_the_old_ones(owner: Owner, nobody: Api) -> None:
    new = owner.api.post("/auth/totp/recovery-codes").get_json()["recovery_codes"]
    assert not {*new} & {*owner.recovery_codes}
    old = nobody.post("/auth/login", json=owner.credentials(owner.recovery_codes[0]))
    assert_problem(old, 401, "bad-code")
    assert nobody.post("/auth/login", json=owner.credentials(new[0])).status_code == 200


def test_the_recovery_code_of_another_account_is_no_good(
    app: Flask, owner: Owner, nobody: Api
) -> None:
    other = Owner(app, make_user(app))
    refused = nobody.post("/auth/login", json=owner.credentials(other.recovery_codes[0]))
    assert_problem(refused, 401, "bad-code")


# Keeping it, and getting rid of it


def test_neither_secret_nor_recovery_codes_are_stored_as_they_are(app: Flask, owner: Owner) -> None:
    with app.app_context(), reading() as session:
        kept = [*session.scalars(select(SecondFactor.secret))]
        kept += session.scalars(select(RecoveryCode.digest))
    for secret in (owner.authenticator.secret, *owner.recovery_codes):
        assert not any(secret in it or secret.replace("-", "") in it for it in kept)


def test_switched_off_it_is_not_asked_for_any_more(app: Flask, owner: Owner, nobody: Api) -> None:
    assert owner.api.delete("/auth/totp").status_code == 204
    assert nobody.post("/auth/login", json=owner.credentials()).status_code == 200
    assert_problem(owner.api.delete("/auth/totp"), 404, "no-second-factor")
    assert "user.second_factor_disabled" in types_of(app, owner.user.id)
    assert mails_to(app, owner.user)[-1] == "second_factor/disabled"


def test_an_administrator_helps_who_has_lost_it(app: Flask, owner: Owner, nobody: Api) -> None:
    args = ["users", "reset-second-factor", owner.user.email]
    assert app.test_cli_runner().invoke(args=args).exit_code == 0
    assert_problem(owner.api.get("/users/me"), 401, "unauthenticated")
    assert nobody.post("/auth/login", json=owner.credentials()).status_code == 200
    again = app.test_cli_runner().invoke(args=args)
    assert (again.exit_code, again.output) == (1, "Error: No second factor\n")


def test_an_export_tells_of_it_and_a_removal_forgets_it(app: Flask, owner: Owner) -> None:
    part = owner.api.get("/users/me/export").get_json()["parts"]["second_factor"]
    assert part["recovery_codes_left"] == 10
    assert owner.api.delete("/users/me", if_match="*").status_code == 204
    with app.app_context(), reading() as session:
        assert session.scalars(select(SecondFactor)).all() == []
        assert session.scalars(select(RecoveryCode)).all() == []


def test_a_secret_outlives_its_key_once_it_is_encrypted_anew(
    app: Flask, owner: Owner, make_app: Callable[..., Flask]
) -> None:
    from cryptography.fernet import Fernet

    from stockroom.config import Settings

    settings: Settings = app.extensions["stockroom.settings"]
    keys = [Fernet.generate_key().decode(), *settings.encryption_keys]
    run = make_app(encryption_keys=keys).test_cli_runner().invoke
    assert "second factors: 1" in run(args=["secrets", "reencrypt"]).output
    newest = Api(make_app(encryption_keys=keys[:1]))
    login = newest.post("/auth/login", json=owner.credentials(owner.authenticator.code()))
    assert login.status_code == 200

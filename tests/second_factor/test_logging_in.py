"""A second factor is asked for at the login, and a code is good once."""

import pytest
from flask import Flask

from stockroom.auth import service as auth
from stockroom.auth.throttling import FREE_BY_ACCOUNT
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.overtaking import meanwhile
from tests.auth.test_passwords import let_time_pass
from tests.factories.users import PASSWORD
from tests.second_factor.authenticator import Owner
from tests.threads import at_once


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


def test_a_login_with_a_code_does_not_survive_the_end_of_its_password(
    owner: Owner, nobody: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: auth.set_password(owner.user.id, "quite another passphrase"))
    credentials = owner.credentials(owner.authenticator.code())
    assert_problem(nobody.post("/auth/login", json=credentials), 401, "bad-credentials")


def test_a_login_that_began_before_there_was_a_second_factor_needs_no_code(
    app: Flask, user: User, nobody: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: Owner(app, user))
    credentials = {"email": user.email, "password": PASSWORD}
    assert nobody.post("/auth/login", json=credentials).status_code == 200
    monkeypatch.undo()
    refused = nobody.post("/auth/login", json=credentials)
    assert_problem(refused, 401, "second-factor-required")


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

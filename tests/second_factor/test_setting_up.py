"""A second factor is set up: begun, confirmed, and begun again."""

import re
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.test_passwords import let_time_pass
from tests.factories.users import PASSWORD
from tests.outbox.events import types_of
from tests.second_factor.authenticator import Authenticator, Owner
from tests.second_factor.mailbox import mails_to


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

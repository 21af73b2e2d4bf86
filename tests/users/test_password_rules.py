"""Which passwords are accepted: long enough, and not among those that are guessed first."""

import pytest
from flask import Flask

from stockroom.core.errors import InvalidInput
from stockroom.users.passwords import COMMONEST, require_acceptable
from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, log_in, make_user

ADA = "ada.lovelace@example.com"


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "iloveyou", "football1"])
def test_the_commonest_passwords_are_refused(nobody: Api, password: str) -> None:
    response = nobody.post("/auth/register", json={"email": ADA, "password": password})
    problem = assert_problem(response, 422, "validation-error")
    assert problem["errors"]["password"] == ["Too common: it is among the first that are guessed."]


def test_ten_thousand_passwords_are_known() -> None:
    from stockroom.users.passwords import _commonest

    assert len(_commonest()) == COMMONEST == 10_000


@pytest.mark.parametrize(
    "password",
    [ADA, ADA.upper(), f"x{ADA}x", "ada.lovelace", "Ada.Lovelace"],
)
def test_a_password_made_of_the_address_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        require_acceptable(password, ADA)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "aaaaaaaaaaab",
        "ada.lovelace was here",
        "ПарольПароль",
        "        ",
    ],
)
def test_nothing_else_is_asked_of_a_password(password: str) -> None:
    require_acceptable(password, ADA)


def test_the_rules_hold_for_whoever_sets_a_password(app: Flask, admin: Api) -> None:
    user = make_user(app, email=ADA)
    ada = Api(app, log_in(app, user)["access_token"])
    body = {"current_password": PASSWORD, "new_password": "password1"}
    refused = assert_problem(ada.post("/auth/password/change", json=body), 422, "validation-error")
    assert [*refused["errors"]] == ["new_password"]
    made = admin.post("/users", json={"email": "bob@example.com", "password": "qwertyui"})
    assert_problem(made, 422, "validation-error")
    run = app.test_cli_runner().invoke
    set_ = run(args=["users", "set-password", ADA, "--password-stdin"], input="password\n")
    assert (set_.exit_code, set_.output) == (
        1,
        "Error: password: Too common: it is among the first that are guessed.\n",
    )

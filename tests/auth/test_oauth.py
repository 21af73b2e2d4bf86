"""The token endpoint, in the words of RFC 6749."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, log_in, make_user

GOOD = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}


@pytest.fixture(autouse=True)
def ada(app: Flask) -> dict[str, str]:
    """The tokens of an account with the credentials of ``GOOD``."""
    return log_in(app, make_user(app, email="ada@example.com"))


def request_token(api: Api, form: Any) -> TestResponse:
    return api.post("/auth/token", data=form)


def assert_refused(response: TestResponse, error: str) -> None:
    problem = assert_problem(response, 400, "token-request-refused")
    assert problem["error"] == error
    assert problem["error_description"]
    assert response.headers["Cache-Control"] == "no-store"


def test_a_password_is_exchanged_for_tokens(app: Flask, nobody: Api) -> None:
    response = request_token(nobody, GOOD)
    tokens = response.get_json()
    assert response.status_code == 200
    assert tokens["token_type"] == "bearer"
    assert response.headers["Cache-Control"] == "no-store"
    assert Api(app, tokens["access_token"]).get("/users/me").status_code == 200


def test_a_refresh_token_is_exchanged_for_tokens(nobody: Api, ada: dict[str, str]) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": ada["refresh_token"]}
    tokens = request_token(nobody, form).get_json()
    assert tokens["refresh_token"] != ada["refresh_token"]


def test_unknown_parameters_are_ignored(nobody: Api) -> None:
    form = GOOD | {"scope": "catalogue:write", "client_id": "docs", "client_secret": ""}
    assert request_token(nobody, form).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "x"}, "invalid_request"),
        ({"username": "ada@example.com"}, "invalid_request"),
        ({**GOOD, "grant_type": ""}, "invalid_request"),
        ({**GOOD, "username": ""}, "invalid_request"),
        ({**GOOD, "password": ""}, "invalid_request"),
        ({"grant_type": "password", "username": "ada@example.com"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        ({**GOOD, "username": "x" * 5000}, "invalid_request"),
        ({**GOOD, "username": "a\x00b"}, "invalid_request"),
        ({**GOOD, "password": "x" * 5000}, "invalid_request"),
        (MultiDict([*GOOD.items(), ("username", "b@example.com")]), "invalid_request"),
        ({**GOOD, "grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({**GOOD, "grant_type": "PASSWORD"}, "unsupported_grant_type"),
        ({**GOOD, "password": "wrong password"}, "invalid_grant"),
        ({**GOOD, "username": "nobody@example.com"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "é\ud7ff" * 9}, "invalid_grant"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_each_error_has_its_word(nobody: Api, form: Any, error: str) -> None:
    assert_refused(request_token(nobody, form), error)


def test_a_token_that_is_too_old_is_an_invalid_grant(nobody: Api, ada: dict[str, str]) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": ada["refresh_token"]}
    newer = request_token(nobody, form).get_json()["refresh_token"]
    request_token(nobody, {**form, "refresh_token": newer})
    assert_refused(request_token(nobody, form), "invalid_grant")
    newest = {**form, "refresh_token": newer}
    assert_refused(request_token(nobody, newest), "invalid_grant")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_a_token_request_is_a_form(nobody: Api, content_type: str) -> None:
    response = nobody.post("/auth/token", data=b"{}", content_type=content_type)
    assert_problem(response, 415, "unsupported-media-type")


def test_a_parameter_in_the_query_does_not_count(nobody: Api) -> None:
    response = nobody.post("/auth/token", query_string=GOOD, data={"grant_type": "password"})
    assert_refused(response, "invalid_request")


@pytest.mark.parametrize("body", [b"\xff\xfe=\xff", b"%FF=%FF&grant_type=%ED%A0%80", b"&&&===;"])
def test_a_form_of_garbage_is_a_400(nobody: Api, body: bytes) -> None:
    response = nobody.post(
        "/auth/token", data=body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 400

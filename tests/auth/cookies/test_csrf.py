"""What keeps other pages from acting by cookies, and when cookies are looked at."""

import pytest
from flask import Flask

from stockroom.auth import sessions
from stockroom.auth.models import FIRST_KEY_ID
from stockroom.config import Settings
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.browsing import Browser, set_cookies
from tests.auth.cookies.acting import is_logged_in, rename
from tests.auth.forging import signed
from tests.factories.users import PASSWORD, make_user, token_for


def test_a_change_needs_the_value_of_the_cookie_in_a_header(browser: Browser) -> None:
    assert_problem(rename(browser), 403, "csrf-failed")
    csrf = browser.cookie("csrf_token") or ""
    assert rename(browser, **{"X-CSRF-Token": csrf}).status_code == 200


def test_the_answer_tells_the_value_to_pages_of_another_host(browser: Browser) -> None:
    assert browser.login.headers["X-CSRF-Token"] == browser.cookie("csrf_token")


@pytest.mark.parametrize("wrong", ["", " ", "x", "é", "\xff" * 64, "0" * 64, "null", "{}"])
def test_a_wrong_value_is_refused(browser: Browser, wrong: str) -> None:
    assert_problem(rename(browser, **{"X-CSRF-Token": wrong}), 403, "csrf-failed")


def test_the_value_of_another_session_is_refused(app: Flask, browser: Browser, user: User) -> None:
    other = Browser(app, user).cookie("csrf_token") or ""
    assert_problem(rename(browser, **{"X-CSRF-Token": other}), 403, "csrf-failed")


def test_a_cookie_that_a_neighbour_has_set_does_not_match_the_token(browser: Browser) -> None:
    browser.keep("csrf_token", "0" * 64)
    assert_problem(rename(browser, **{"X-CSRF-Token": "0" * 64}), 403, "csrf-failed")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_no_method_that_changes_something_goes_without(browser: Browser, method: str) -> None:
    paths = {
        "POST": "/events/tickets",
        "PATCH": "/users/me",
        "PUT": f"/products/{FIRST_KEY_ID}",
        "DELETE": f"/auth/sessions/{FIRST_KEY_ID}",
    }
    assert_problem(browser.request(method, paths[method]), 403, "csrf-failed")


def test_reading_goes_without(browser: Browser) -> None:
    assert browser.get("/auth/sessions").status_code == 200
    assert browser.request("HEAD", "/users/me").status_code == 200


def test_a_token_in_the_header_needs_no_csrf_token(app: Flask, user: User) -> None:
    headers = {"If-Match": "*"}
    api = Api(app, token_for(app, user))
    assert api.patch("/users/me", json={"full_name": "Ada"}, headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c"])
def test_beside_an_authorization_header_cookies_are_not_looked_at(
    browser: Browser, header: str
) -> None:
    for path in ("/users/me", "/products"):
        response = browser.get(path, headers={"Authorization": header})
        assert_problem(response, 401, "unauthenticated")
    refused = browser.change("POST", "/auth/refresh", headers={"Authorization": header})
    assert_problem(refused, 401, "invalid-refresh-token")
    assert not set_cookies(refused)


def test_beside_an_api_key_cookies_are_not_looked_at(browser: Browser) -> None:
    response = browser.get("/users/me", headers={"X-API-Key": "sr_none"})
    assert response.status_code == 401


def test_the_header_s_account_is_the_caller(app: Flask, browser: Browser) -> None:
    other = make_user(app)
    headers = {"Authorization": f"Bearer {token_for(app, other)}"}
    assert browser.get("/users/me", headers=headers).get_json()["email"] == other.email


def test_a_cookie_that_was_made_up_is_refused(app: Flask, settings: Settings) -> None:
    browser = Browser(app)
    for value in ("x", "a.b.c", signed(settings), "%00", "é"):
        browser.keep("access_token", value)
        for path in ("/users/me", "/products"):
            assert_problem(browser.get(path), 401, "unauthenticated")


def test_each_cookie_holds_its_own_kind_of_token(browser: Browser) -> None:
    access, refresh = browser.cookie("access_token"), browser.cookie("refresh_token")
    browser.keep("access_token", refresh or "")
    assert not is_logged_in(browser)
    browser.keep("refresh_token", access or "")
    assert_problem(browser.refresh(), 401, "invalid-refresh-token")


def test_the_public_catalogue_refuses_the_cookie_of_an_ended_session(
    app: Flask, browser: Browser, user: User
) -> None:
    assert browser.get("/products").status_code == 200
    with app.app_context():
        sessions.end_all_sessions(user.id)
    assert_problem(browser.get("/products"), 401, "unauthenticated")


def test_a_stale_cookie_keeps_nobody_from_logging_in(app: Flask, user: User) -> None:
    browser = Browser(app)
    browser.keep("access_token", "stale.token.x")
    body = {"email": user.email, "password": PASSWORD}
    assert browser.post("/auth/login?transport=cookie", json=body).status_code == 204
    assert is_logged_in(browser)

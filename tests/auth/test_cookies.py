"""Browser mode: tokens in cookies, and what keeps other pages from using them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from stockroom.auth import sessions, signing
from stockroom.auth.models import FIRST_KEY_ID, LoginSession, SigningKey
from stockroom.config import Environment, Settings
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.browsing import COOKIES, Browser, set_cookies
from tests.auth.forging import signed
from tests.factories.users import PASSWORD, log_in, make_user, token_for

DAY_SECONDS = 24 * 60 * 60
SESSION_SECONDS = 30 * DAY_SECONDS
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def browser(app: Flask, user: User) -> Browser:
    return Browser(app, user)


@pytest.fixture
def in_production(make_app: Callable[..., Flask], settings: Settings) -> Flask:
    return make_app(
        environment=Environment.PRODUCTION,
        secret_key="abcdefghijklmnopqrstuvwxyz0123456789",
        jwt_secret_key="9876543210zyxwvutsrqponmlkjihgfedcba",
    )


def rename(browser: Browser, full_name: str = "Ada", **headers: str) -> TestResponse:
    headers["If-Match"] = "*"
    return browser.request("PATCH", "/users/me", json={"full_name": full_name}, headers=headers)


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/users/me").status_code == 200


def assert_cleared(response: TestResponse, browser: Browser) -> None:
    cleared = set_cookies(response)
    assert cleared.keys() == COOKIES
    assert not browser.kept
    assert {morsel["path"] for morsel in cleared.values()} == {"/"}


def test_a_login_gives_its_tokens_as_cookies_alone(browser: Browser) -> None:
    assert browser.login.data == b""
    assert set_cookies(browser.login).keys() == COOKIES
    assert is_logged_in(browser)


@pytest.mark.parametrize("query", ["", "?transport=body"])
def test_tokens_come_in_the_body_unless_cookies_are_asked_for(
    app: Flask, user: User, query: str
) -> None:
    body = {"email": user.email, "password": PASSWORD}
    response = Api(app).post(f"/auth/login{query}", json=body)
    assert response.get_json().keys() >= {"access_token", "refresh_token"}
    assert not set_cookies(response)


@pytest.mark.parametrize("transport", ["", "cookies", "COOKIE", "header"])
def test_another_transport_is_refused(app: Flask, user: User, transport: str) -> None:
    body = {"email": user.email, "password": PASSWORD}
    response = Api(app).post(f"/auth/login?transport={transport}", json=body)
    assert_problem(response, 422, "validation-error")
    assert not set_cookies(response)


def test_a_wrong_password_sets_no_cookie(app: Flask, user: User) -> None:
    body = {"email": user.email, "password": "a wrong password"}
    response = Api(app).post("/auth/login?transport=cookie", json=body)
    assert_problem(response, 401, "bad-credentials")
    assert not set_cookies(response)


def test_scripts_read_the_csrf_token_and_no_other_cookie(browser: Browser) -> None:
    cookies = set_cookies(browser.login)
    readable = {name for name, cookie in cookies.items() if not cookie["httponly"]}
    assert readable == {"csrf_token"}


def test_cookies_are_for_this_site_and_host_alone(browser: Browser) -> None:
    for cookie in set_cookies(browser.login).values():
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")


def test_a_cookie_lives_as_long_as_what_it_carries(browser: Browser) -> None:
    ages = {name: int(cookie["max-age"]) for name, cookie in set_cookies(browser.login).items()}
    assert ages["access_token"] == 900
    assert SESSION_SECONDS - 5 <= ages["refresh_token"] <= SESSION_SECONDS
    assert ages["csrf_token"] == ages["refresh_token"]


def test_a_refresh_makes_no_cookie_live_longer_than_the_session(
    app: Flask, browser: Browser
) -> None:
    with app.app_context(), transaction() as session:
        ends = now() + timedelta(days=1)
        session.execute(update(LoginSession).values(expires_at=ends))
    cookies = set_cookies(browser.refresh())
    assert DAY_SECONDS - 5 <= int(cookies["refresh_token"]["max-age"]) <= DAY_SECONDS


def test_in_production_cookies_are_secure_and_bound_to_the_host(
    in_production: Flask, user: User
) -> None:
    browser = Browser(in_production, user)
    cookies = set_cookies(browser.login)
    assert cookies.keys() == {f"__Host-{name}" for name in COOKIES}
    assert all(cookie["secure"] for cookie in cookies.values())
    assert all((it["path"], it["domain"]) == ("/", "") for it in cookies.values())
    assert is_logged_in(browser)


def test_in_production_a_cookie_without_the_prefix_is_nobody_s(
    in_production: Flask, user: User
) -> None:
    browser = Browser(in_production)
    browser.keep("access_token", token_for(in_production, user))
    assert not is_logged_in(browser)


def test_in_production_logging_out_clears_the_cookies_that_it_set(
    in_production: Flask, user: User
) -> None:
    browser = Browser(in_production, user)
    csrf = browser.cookie("__Host-csrf_token") or ""
    response = browser.post("/auth/logout", headers={"X-CSRF-Token": csrf})
    assert response.status_code == 204
    cleared = set_cookies(response)
    assert cleared.keys() == {f"__Host-{name}" for name in COOKIES}
    assert all(cookie["secure"] for cookie in cleared.values())


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


def test_a_refresh_gives_new_cookies(browser: Browser) -> None:
    before = browser.cookie("access_token"), browser.cookie("refresh_token")
    browser.forget("access_token")
    response = browser.refresh()
    assert (response.status_code, response.data) == (204, b"")
    assert set_cookies(response).keys() == COOKIES
    assert browser.cookie("access_token") not in {None, before[0]}
    assert browser.cookie("refresh_token") != before[1]
    assert is_logged_in(browser)


def test_the_csrf_token_stays_the_same_while_other_tabs_refresh(browser: Browser) -> None:
    before = browser.cookie("csrf_token")
    browser.refresh()
    assert browser.cookie("csrf_token") == before


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": "é"}], ids=str)
def test_a_refresh_by_cookie_needs_the_header(browser: Browser, headers: dict[str, str]) -> None:
    refused = browser.post("/auth/refresh", headers=headers)
    assert_problem(refused, 403, "csrf-failed")
    assert not set_cookies(refused)
    assert browser.refresh().status_code == 204


def test_a_token_in_the_body_is_answered_in_the_body(
    app: Flask, browser: Browser, user: User
) -> None:
    body = {"refresh_token": log_in(app, user)["refresh_token"]}
    response = browser.post("/auth/refresh", json=body)
    assert response.get_json().keys() >= {"access_token", "refresh_token"}
    assert not set_cookies(response)


def test_a_body_without_a_token_is_refused_whatever_the_cookie(browser: Browser) -> None:
    assert_problem(browser.post("/auth/refresh", json={}), 422, "validation-error")


def test_neither_body_nor_cookie_is_a_401(nobody: Api) -> None:
    assert_problem(nobody.post("/auth/refresh"), 401, "invalid-refresh-token")


def test_a_second_tab_may_use_the_token_just_before(browser: Browser) -> None:
    first = browser.cookie("refresh_token") or ""
    browser.refresh()
    browser.keep("refresh_token", first)
    assert browser.refresh().status_code == 204


def test_an_older_cookie_ends_the_session_and_is_cleared(browser: Browser) -> None:
    first = browser.cookie("refresh_token") or ""
    browser.refresh()
    browser.refresh()
    browser.keep("refresh_token", first)
    response = browser.refresh()
    assert_problem(response, 401, "refresh-token-reused")
    assert_cleared(response, browser)


def test_the_cookies_of_an_ended_session_are_cleared(
    app: Flask, browser: Browser, user: User
) -> None:
    with app.app_context():
        sessions.end_all_sessions(user.id)
    response = browser.refresh()
    assert_problem(response, 401, "session-ended")
    assert_cleared(response, browser)


def test_a_cookie_that_holds_no_refresh_token_is_cleared(browser: Browser) -> None:
    browser.keep("refresh_token", "x")
    response = browser.refresh()
    assert_problem(response, 401, "invalid-refresh-token")
    assert_cleared(response, browser)


@pytest.mark.parametrize("scope", ["local", "all"])
def test_logging_out_ends_the_session_and_clears_the_cookies(browser: Browser, scope: str) -> None:
    refresh = browser.cookie("refresh_token")
    response = browser.change("POST", f"/auth/logout?scope={scope}")
    assert (response.status_code, response.data) == (204, b"")
    assert_cleared(response, browser)
    again = browser.post("/auth/refresh", json={"refresh_token": refresh})
    assert_problem(again, 401, "session-ended")


def test_logging_out_elsewhere_keeps_the_cookies(browser: Browser) -> None:
    response = browser.change("POST", "/auth/logout?scope=others")
    assert not set_cookies(response)
    assert is_logged_in(browser)


def test_logging_out_needs_the_header(browser: Browser) -> None:
    assert_problem(browser.post("/auth/logout"), 403, "csrf-failed")
    assert is_logged_in(browser)


def test_logging_out_by_header_touches_no_cookie(app: Flask, browser: Browser) -> None:
    headers = {"Authorization": f"Bearer {token_for(app, make_user(app))}"}
    response = browser.post("/auth/logout", headers=headers)
    assert response.status_code == 204
    assert not set_cookies(response)
    assert is_logged_in(browser)


def test_a_deactivated_account_s_cookies_are_refused_on_the_next_request(
    app: Flask, browser: Browser, user: User
) -> None:
    with app.app_context():
        users.change(user.id, {"is_active": False})
    assert_problem(browser.get("/users/me"), 401, "unauthenticated")


@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["plain", "upgrade"])
def test_a_websocket_is_not_opened_by_a_cookie(browser: Browser, headers: dict[str, str]) -> None:
    for path in ("/events/ws", "/events/ws?ticket=none"):
        assert_problem(browser.get(path, headers=headers), 401, "unauthenticated")


def test_cookies_outlive_a_rotation_of_the_keys(app: Flask, browser: Browser) -> None:
    with app.app_context():
        signing.rotate()
        with transaction() as session:
            long_ago = now() - timedelta(seconds=signing.SETTLING_SECONDS)
            session.execute(update(SigningKey).values(created_at=long_ago))
        signing.key_ring().forget()
    assert is_logged_in(browser)
    assert browser.refresh().status_code == 204
    csrf = browser.cookie("csrf_token") or ""
    assert rename(browser, **{"X-CSRF-Token": csrf}).status_code == 200


def test_requests_by_cookie_count_by_account(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="3 per hour")
    ada, bob = Browser(app, make_user(app)), Browser(app, make_user(app))
    statuses = [ada.get("/users/me").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert bob.get("/users/me").status_code == 200

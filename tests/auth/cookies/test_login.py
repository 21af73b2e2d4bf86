"""A login in browser mode gives its tokens as cookies, and what keeps these to this site."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.auth.models import LoginSession
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.browsing import COOKIES, Browser, set_cookies
from tests.auth.cookies.acting import DAY_SECONDS, SESSION_SECONDS, is_logged_in
from tests.factories.users import PASSWORD, token_for


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

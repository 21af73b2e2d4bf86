"""Cookies end with their session, and count by account while they last."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.auth import signing
from stockroom.auth.models import SigningKey
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import assert_problem
from tests.auth.browsing import Browser, set_cookies
from tests.auth.cookies.acting import (
    UPGRADE,
    assert_cleared,
    is_logged_in,
    rename,
)
from tests.factories.users import make_user, token_for


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

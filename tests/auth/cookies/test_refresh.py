"""A refresh by cookie gives new ones, to all tabs."""

import pytest
from flask import Flask

from stockroom.auth import sessions
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.auth.browsing import COOKIES, Browser, set_cookies
from tests.auth.cookies.acting import assert_cleared, is_logged_in
from tests.factories.users import log_in


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

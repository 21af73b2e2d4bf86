"""Cookies in a real browser: what pages can do with them, and what they cannot."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from stockroom.config import Environment
from stockroom.users.models import User
from tests.contract.browser import needs_browser, open_browser
from tests.contract.conftest import OpenSite, Site
from tests.factories.users import PASSWORD, make_user
from tests.stream.pages import served_pages

CALL = """
    async ([method, path, options]) => {
        const answer = await fetch(path, { method, credentials: "include", ...options });
        return answer.status;
    }
"""
LOG_IN = """
    async ([api, body]) => {
        const answer = await fetch(`${api}/auth/login?transport=cookie`, {
            method: "POST",
            credentials: "include",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
        });
        return [answer.status, answer.headers.get("X-CSRF-Token")];
    }
"""
OPENS = """
    ([kind, address]) => new Promise((resolve) => {
        const stream = new window[kind](address);
        stream.onopen = () => { stream.close(); resolve(true); };
        stream.onerror = () => { stream.close(); resolve(false); };
    })
"""

pytestmark = needs_browser


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a page that may call."""
    with served_pages(tmp_path_factory.mktemp("shop")) as origin:
        yield origin.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a page of the same site, to whose requests browsers add the cookies."""
    with served_pages(tmp_path_factory.mktemp("stranger")) as origin:
        yield origin.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def site(open_site: OpenSite, shop: str) -> Iterator[Site]:
    """A site as in production; browsers trust localhost as if it spoke TLS."""
    with open_site(
        environment=Environment.PRODUCTION,
        secret_key="abcdefghijklmnopqrstuvwxyz0123456789",
        jwt_secret_key="9876543210zyxwvutsrqponmlkjihgfedcba",
        cors_origins=[shop],
    ) as site:
        yield site


@pytest.fixture(scope="module")
def api(site: Site) -> str:
    return f"http://localhost:{site.web.port}/api/v1"


@pytest.fixture(scope="module")
def user(site: Site) -> User:
    return make_user(site.app)


@pytest.fixture
def page(browser_page: Page) -> Page:
    browser_page.context.clear_cookies()
    return browser_page


@pytest.fixture(scope="module")
def browser_page(site: Site, stranger: str) -> Iterator[Page]:
    with open_browser() as browser:
        yield browser.new_page()


def log_in(page: Page, api: str, user: User, at: str) -> str:
    """Log in from a page; returns the value that changes have to repeat."""
    page.goto(at)
    status, csrf = page.evaluate(LOG_IN, [api, {"email": user.email, "password": PASSWORD}])
    assert status == 204
    return str(csrf)


def call(page: Page, method: str, path: str, **headers: str) -> int:
    return int(page.evaluate(CALL, [method, path, {"headers": headers}]))


def is_refused(page: Page, method: str, path: str, **headers: str) -> bool:
    """Whether the browser keeps the answer, or even the request, from the page."""
    caught = f"(all) => ({CALL})(all).then(() => false, () => true)"
    return bool(page.evaluate(caught, [method, path, {"headers": headers}]))


def test_a_page_of_the_site_logs_in_calls_refreshes_and_logs_out(
    page: Page, api: str, user: User
) -> None:
    log_in(page, api, user, f"{api}/../../docs")
    readable = page.evaluate("document.cookie")
    name, _, csrf = readable.partition("=")
    assert (name, len(csrf)) == ("__Host-csrf_token", 64)
    assert len(page.context.cookies()) == 3
    assert call(page, "GET", f"{api}/users/me") == 200
    assert call(page, "POST", f"{api}/events/tickets") == 403
    assert call(page, "POST", f"{api}/events/tickets", **{"X-CSRF-Token": csrf}) == 201
    page.context.clear_cookies(name="__Host-access_token")
    assert call(page, "GET", f"{api}/users/me") == 401
    assert call(page, "POST", f"{api}/auth/refresh", **{"X-CSRF-Token": csrf}) == 204
    assert call(page, "GET", f"{api}/users/me") == 200
    assert call(page, "POST", f"{api}/auth/logout", **{"X-CSRF-Token": csrf}) == 204
    assert page.context.cookies() == []
    assert call(page, "GET", f"{api}/users/me") == 401


def test_a_named_page_of_another_origin_may_call(
    page: Page, api: str, user: User, shop: str
) -> None:
    csrf = log_in(page, api, user, f"{shop}/index.html")
    assert page.evaluate("document.cookie") != csrf
    assert call(page, "GET", f"{api}/users/me") == 200
    assert call(page, "POST", f"{api}/events/tickets", **{"X-CSRF-Token": csrf}) == 201


def test_a_page_of_another_origin_can_do_nothing_with_its_visitor_s_cookies(
    page: Page, api: str, user: User, stranger: str
) -> None:
    csrf = log_in(page, api, user, f"{api}/../../docs")
    page.goto(f"{stranger}/index.html")
    assert is_refused(page, "GET", f"{api}/users/me")
    assert is_refused(page, "POST", f"{api}/auth/logout")
    assert is_refused(page, "POST", f"{api}/auth/logout", **{"X-CSRF-Token": csrf})
    page.goto(f"{api}/../../docs")
    assert call(page, "GET", f"{api}/users/me") == 200


@pytest.mark.heavy
def test_cookies_open_a_stream_and_no_websocket(page: Page, api: str, user: User) -> None:
    log_in(page, api, user, f"{api}/../../docs")
    assert page.evaluate(OPENS, ["EventSource", f"{api}/events/stream"])
    socket = api.replace("http", "ws")
    assert not page.evaluate(OPENS, ["WebSocket", f"{socket}/events/ws"])

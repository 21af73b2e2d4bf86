"""What a browser does with its cookies, and how to see what became of them."""

from werkzeug.test import TestResponse

from tests.auth.browsing import COOKIES, Browser, set_cookies

DAY_SECONDS = 24 * 60 * 60
SESSION_SECONDS = 30 * DAY_SECONDS
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


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

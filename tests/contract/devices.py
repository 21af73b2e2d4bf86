"""What people call a served application with: a phone, a browser."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page
from urllib3 import PoolManager

from tests.api import PREFIX
from tests.contract.browser import open_browser
from tests.contract.web import Web
from tests.leaks import WATCH

FETCH = """
    async ([method, path, body, headers]) => {
        const csrf = document.cookie.match(/csrf_token=([^;]+)/);
        const answer = await fetch(path, {
            method,
            headers: {
                ...(body === null ? {} : { "Content-Type": "application/json" }),
                ...(csrf ? { "X-CSRF-Token": csrf[1] } : {}),
                ...headers,
            },
            body: body === null ? undefined : JSON.stringify(body),
        });
        return [answer.status, await answer.text()];
    }
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What came back."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def kind(self) -> str:
        """The problem that it is."""
        return str(self.json["type"]).removeprefix("/problems/")


@dataclass
class Phone:
    """A client that keeps its tokens itself."""

    web: Web
    headers: dict[str, str] = field(default_factory=dict)
    _pool: PoolManager = field(default_factory=PoolManager)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        sent = {**self.headers, **headers}
        answer = (
            self._pool.request(method, f"{self.web.url}{PREFIX}{path}", json=body, headers=sent)
            if body is not None
            else self._pool.request(method, f"{self.web.url}{PREFIX}{path}", headers=sent)
        )
        return _noted(body, Said(answer.status, answer.data.decode()))

    def log_in(self, **credentials: str) -> Said:
        answer = self.call("POST", "/auth/login", credentials)
        if answer.status == 200:
            self.headers["Authorization"] = f"Bearer {answer.json['access_token']}"
        return answer


@dataclass(frozen=True, slots=True)
class Browser:
    """A real browser on a page of the site, which keeps the tokens in cookies."""

    page: Page

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        status, text = self.page.evaluate(FETCH, [method, f"{PREFIX}{path}", body, headers])
        for cookie in self.page.context.cookies():
            WATCH.add(str(cookie.get("value", "")))
        return _noted(body, Said(status, text))

    def log_in(self, **credentials: str) -> Said:
        return self.call("POST", "/auth/login?transport=cookie", credentials)


@contextmanager
def browsing(web: Web) -> Iterator[Browser]:
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(f"{web.url}/docs")
        yield Browser(page)


def _noted(body: Any, said: Said) -> Said:
    WATCH.see(body)
    if said.text.startswith(("{", "[")):
        WATCH.see(said.json)
    return said

"""A client with a cookie jar, as a browser has it, and no token of its own."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from stockroom.users.models import User
from tests.api import Api
from tests.factories.users import PASSWORD

COOKIES = {"access_token", "refresh_token", "csrf_token"}
HOST = "localhost"


class Browser(Api):
    """Keeps cookies, and repeats the value of ``csrf_token`` where it is told to."""

    def __init__(self, app: Flask, user: User | None = None) -> None:
        super().__init__(app)
        if user:
            body = {"email": user.email, "password": PASSWORD}
            self.login = self.post("/auth/login?transport=cookie", json=body)
            assert self.login.status_code == 204, self.login.text

    def cookie(self, name: str) -> str | None:
        kept = self._client.get_cookie(name)
        return kept.value if kept else None

    @property
    def kept(self) -> set[str]:
        return {name for name in COOKIES if self.cookie(name)}

    def keep(self, name: str, value: str) -> None:
        self._client.set_cookie(name, value, domain=HOST)

    def forget(self, name: str) -> None:
        self._client.delete_cookie(name, domain=HOST)

    def change(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """A request with the header that goes with the cookies."""
        csrf = {"X-CSRF-Token": self.cookie("csrf_token") or ""}
        headers = {**csrf, **kwargs.pop("headers", {})}
        return self.request(method, path, headers=headers, **kwargs)

    def refresh(self) -> TestResponse:
        return self.change("POST", "/auth/refresh")


def set_cookies(response: TestResponse) -> dict[str, Morsel[str]]:
    """What the answer sets, by name; no name is set twice."""
    found: dict[str, Morsel[str]] = {}
    for header in response.headers.getlist("Set-Cookie"):
        for name, morsel in SimpleCookie(header).items():
            assert name not in found
            found[name] = morsel
    return found

"""Secrets that pass through the tests, and whether one of them comes out where it must not.

The client of ``tests.api`` shows every request and answer to ``WATCH``. At the end of each test the
log and the events of that test are looked through (``tests/conftest.py``): so no log line and no
event of the whole run holds a secret.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.test import TestResponse

SECRET_FIELDS = {
    "access_token",
    "current_password",
    "key",
    "new_password",
    "otpauth_uri",
    "password",
    "recovery_codes",
    "refresh_token",
    "secret",
    "ticket",
    "token",
}
# Shorter ones, such as a code of six digits, stand in innocent texts by chance.
SHORTEST = 8
SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"  # a JSON Web Token
    r"|\bsr_\w{30,}"  # an API key
    r"|\$argon2id\$v=\d+\$[^\s\"]+"  # a password's hash
    r"|\bwhsec_[\w+/=]{20,}"  # the secret of a webhook
)


class Watch:
    """Remembers secrets, and finds them again."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def forget(self) -> None:
        self._secrets.clear()

    def add(self, secret: str) -> None:
        if len(secret) >= SHORTEST:
            self._secrets.add(secret)

    def see(self, document: Any) -> None:
        """Remember what stands in fields of a JSON document or a form that hold secrets."""
        if isinstance(document, Mapping):
            for name, value in document.items():
                if name in SECRET_FIELDS:
                    self._add_all(value)
                self.see(value)
        elif isinstance(document, list):
            for item in document:
                self.see(item)

    def see_exchange(self, sent: Mapping[str, Any], answer: TestResponse) -> None:
        """Remember the secrets of a request and of its answer, if the request was in order.

        What is refused may be anything, such as a password that is a word of the log itself.
        """
        if answer.status_code >= 400:
            return
        self.see(sent.get("json"))
        self.see(sent.get("data"))
        self.see(answer.get_json(silent=True))
        for cookie in answer.headers.getlist("Set-Cookie"):
            self.add(cookie.partition("=")[2].partition(";")[0])

    def found_in(self, lines: Iterable[str]) -> list[str]:
        """The lines that hold a secret."""
        return [line for line in lines if self._is_leaky(line)]

    def _add_all(self, value: Any) -> None:
        for secret in value if isinstance(value, list) else [value]:
            if isinstance(secret, str):
                self.add(secret)

    def _is_leaky(self, line: str) -> bool:
        return bool(SHAPES.search(line)) or any(secret in line for secret in self._secrets)


WATCH = Watch()

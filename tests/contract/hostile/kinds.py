"""What a hostile request is made of."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract import web

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request whose target and headers may name what is known only when the server runs.

    ``{staff}`` stands for an access token of the staff, ``{other_user}`` for somebody's id, and
    so on: see ``Names``.
    """

    name: str
    method: str
    target: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def wire(self, names: dict[str, str]) -> bytes:
        if self.raw is not None:
            return self.raw
        headers = {name: _filled(value, names) for name, value in self.headers.items()}
        return web.request(self.method, _filled(self.target, names), self.body, headers)

    def by(self, who: str) -> "Hostile":
        """The same with an access token of ``customer``, ``staff`` or ``admin``."""
        return replace(self, headers={"Authorization": f"Bearer {{{who}}}", **self.headers})


def get(name: str, path: str, **headers: str) -> Hostile:
    return Hostile(name, "GET", f"{API}{path}", headers=headers)


def send(method: str, path: str, name: str, content: Any, **headers: str) -> Hostile:
    """A request with a JSON body; bytes are sent as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = {"Content-Type": "application/json", **headers}
    return Hostile(name, method, f"{API}{path}", body, fields)


def post(path: str, name: str, content: Any, **headers: str) -> Hostile:
    return send("POST", path, name, content, **headers)


def each_value(
    base: dict[str, Any], values: dict[str, Iterable[Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The base with one field changed at a time, and a name that tells which."""
    for name, wrong in values.items():
        for value in wrong:
            yield f"{name}={_shown(value)}", {**base, name: value}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:30]}…({len(text)})"


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text

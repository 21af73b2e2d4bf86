"""The table of who may call what (``docs/access.md``), and callers of every kind that it names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from stockroom.auth import sessions
from stockroom.core.permissions import Permission, Role
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import PREFIX, Api
from tests.contract import fuzzing
from tests.contract.existing import EXISTING
from tests.factories.api_keys import make_key
from tests.factories.users import make_user, token_for

TABLE = Path(__file__).resolve().parents[2] / "docs" / "access.md"
KINDS = (
    "nobody",
    "customer",
    "another customer",
    "staff",
    "admin",
    "API key",
    "ended session",
    "deactivated",
    "unverified",
)
LET_IN, ANY, NONE = "yes", "any", "none"
"""What a cell can say: ``yes`` or the status of the refusal; for keys the scopes that let in."""
_REFUSALS = {401, 403, 404}
_ROW = re.compile(r"\| `(?P<method>[A-Z]+) (?P<path>/\S+)` \|(?P<cells>.*)\|")

Row = Mapping[str, str]


def table() -> dict[tuple[str, str], Row]:
    """The rows by method and path; each has a cell for every kind of caller."""
    rows = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if found := _ROW.fullmatch(line.strip()):
            cells = [cell.strip() for cell in found["cells"].split("|")]
            rows[found["method"], found["path"]] = dict(zip(KINDS, cells, strict=True))
    return rows


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the OpenAPI document, and how to call it with as little as it takes."""

    method: str
    path: str
    document: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def call(self, app: Flask, owner: User, headers: Mapping[str, str]) -> TestResponse:
        """What is named in the path is made anew, and belongs to ``owner``."""
        names = re.findall(r"{(\w+)}", self.path)
        # Backwards, so that a delivery is one of the webhook that was made just before.
        ids = {name: EXISTING[name](app, owner) for name in sorted(names, reverse=True)}
        body = {"json": {}} if "requestBody" in self.document else {}
        with fuzzing.streams_that_end(app):
            return Api(app).request(
                self.method, self.path.format(**ids), headers=dict(headers), if_match="*", **body
            )


def operations() -> Iterator[Operation]:
    for path, methods in fuzzing.document()["paths"].items():
        for method, document in methods.items():
            if method != "parameters":
                yield Operation(method.upper(), path.removeprefix(PREFIX), document)


def verdict(answer: TestResponse) -> str:
    """``yes`` if the caller was let in, whatever became of the request; else the status."""
    return str(answer.status_code) if answer.status_code in _REFUSALS else LET_IN


class Callers:
    """Callers of every kind, each with the headers that make it one."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.owner = make_user(app)

    def headers(self, kind: str) -> dict[str, str]:
        make = {
            "nobody": dict,
            "customer": lambda: self._bearer(self.owner),
            "another customer": lambda: self._bearer(make_user(self._app)),
            "staff": lambda: self._bearer(make_user(self._app, role=Role.STAFF)),
            "admin": lambda: self._bearer(make_user(self._app, role=Role.ADMIN)),
            "ended session": self._ended,
            "deactivated": self._deactivated,
            "unverified": lambda: self._bearer(self._unverified()),
        }
        return make[kind]()

    def with_key(self, *scopes: Permission) -> dict[str, str]:
        """A key with these scopes alone, of an administrator, who may do everything."""
        admin = make_user(self._app, role=Role.ADMIN)
        return {"X-API-Key": make_key(self._app, admin, [*scopes]).key}

    def _bearer(self, user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_for(self._app, user)}"}

    def _unverified(self) -> User:
        user = make_user(self._app)
        with self._app.app_context(), transaction() as session:
            session.execute(update(User).where(User.id == user.id).values(email_verified_at=None))
        return user

    def _ended(self) -> dict[str, str]:
        user = make_user(self._app)
        headers = self._bearer(user)
        with self._app.app_context():
            sessions.end_all_sessions(user.id)
        return headers

    def _deactivated(self) -> dict[str, str]:
        user = make_user(self._app, role=Role.ADMIN)
        headers = self._bearer(user)
        # Somebody else must be left to administer.
        make_user(self._app, role=Role.ADMIN)
        with self._app.app_context():
            users.change(user.id, {"is_active": False})
        return headers

"""Clients that write over HTTP while the server is killed under them."""

import json
from collections.abc import Callable
from http.client import HTTPException
from itertools import count
from random import Random
from threading import Event
from typing import Any
from uuid import UUID

from tests.api import PREFIX
from tests.contract.web import Answer, Web, request

UNDONE = "this never was"
"""The name that a product would have, had a change been made that was refused."""

_numbers = count(1)


class Writer:
    """Creates and changes products of its own, and tries what is refused.

    :ivar acknowledged: products and versions that an answer told of.
    :ivar refused: how many requests were rolled back; ``lost``: how many got no answer.
    """

    def __init__(self, web: Web, token: str, seed: int) -> None:
        self._web = web
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._random = Random(seed)  # noqa: S311 - the dice of a test
        self._versions: dict[UUID, int] = {}
        self._sku = ""
        self.acknowledged: set[tuple[UUID, int]] = set()
        self.refused = self.lost = 0

    def write_until(self, over: Event) -> None:
        acts = (self._create, self._change, self._change, self._take_sku, self._change_stale)
        self._try(self._create)
        while not over.is_set():
            self._try(self._random.choice(acts))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (OSError, HTTPException):
            self.lost += 1

    def _create(self) -> None:
        sku = f"KILLED-{next(_numbers)}"
        answer = self._send("POST", "/products", sku=sku, name="New", price="1.00")
        assert answer.status == 201, answer.body
        self._sku = sku
        self._keep(answer)

    def _change(self) -> None:
        if not self._versions:
            return
        product = self._random.choice(list(self._versions))
        # Without an answer nobody knows which version it has; then it is left alone.
        version = self._versions.pop(product)
        name = f"Changed {next(_numbers)}"
        answer = self._send("PATCH", f"/products/{product}", if_match=(product, version), name=name)
        assert answer.status == 200, answer.body
        self._keep(answer)

    def _take_sku(self) -> None:
        if self._sku:
            answer = self._send("POST", "/products", sku=self._sku, name=UNDONE, price="1.00")
            assert answer.status == 409, answer.body
            self.refused += 1

    def _change_stale(self) -> None:
        if self._versions:
            product, version = self._random.choice(list(self._versions.items()))
            stale = (product, version + 1)
            answer = self._send("PATCH", f"/products/{product}", if_match=stale, name=UNDONE)
            assert answer.status == 412, answer.body
            self.refused += 1

    def _keep(self, answer: Answer) -> None:
        version, _, key = answer.headers["etag"].strip('"').partition(".")[0].partition("-")
        self._versions[UUID(key)] = int(version)
        self.acknowledged.add((UUID(key), int(version)))

    def _send(
        self, method: str, path: str, if_match: tuple[UUID, int] | None = None, **body: Any
    ) -> Answer:
        headers = dict(self._headers)
        if if_match:
            headers["If-Match"] = f'"{if_match[1]}-{if_match[0].hex}"'
        sent = request(method, f"{PREFIX}{path}", json.dumps(body).encode(), headers)
        return self._web.send(sent)

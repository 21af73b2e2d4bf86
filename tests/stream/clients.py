"""Clients that follow a site, and what they need of it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from itertools import islice
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.outbox import repository
from stockroom.outbox.relay import relay
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from tests.contract import web
from tests.contract.conftest import Site
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.serving.processes import EXCHANGE_SECONDS, master_of
from tests.threads import until

EVENTS = "/api/v1/events"
PATIENCE_SECONDS = 20


@dataclass
class Message:
    """One server-sent event."""

    id: int | None = None
    event: str = "message"
    data: dict[str, Any] = field(default_factory=dict)


class Live:
    """A site with an account that reads all events."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.token = self.token_of(Role.STAFF)

    @property
    def log(self) -> str:
        return (self.site.settings.instance_path / "gunicorn.log").read_text()

    def token_of(self, role: Role) -> str:
        return token_for(self.site.app, make_user(self.site.app, role=role))

    @property
    def master(self) -> int:
        return master_of(self.site)

    def restart(self) -> None:
        """New workers in the place of those that run, as for a new version."""
        ended = self.log.count("Worker exiting")
        os.kill(self.master, signal.SIGHUP)
        until(lambda: self.log.count("Worker exiting") > ended, EXCHANGE_SECONDS)

    def now(self) -> int:
        """The position of the newest event, of which none waits for the relay any more."""
        with self.site.app.app_context():
            relay()
            with reading() as session:
                return repository.newest_position(session)

    def make_products(self, count: int, **fields: Any) -> list[str]:
        """New products; returns their ids, which are the subjects of events."""
        return [str(make_product(self.site.app, **fields).id) for _ in range(count)]

    def record(self, count: int, size: int) -> None:
        """Events with so many bytes of data, in one transaction."""
        with self.site.app.app_context(), transaction() as session:
            for _ in range(count):
                record(session, EventType.PRODUCT_UPDATED, uuid4(), {"filler": "x" * size})

    def ticket(self, token: str) -> str:
        answer = self.send("POST", f"{EVENTS}/tickets", token)
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["ticket"])

    def send(self, method: str, path: str, token: str | None, **headers: str) -> web.Answer:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.site.web.send(web.request(method, path, headers=headers))

    def credentials(self, query: str, token: str | None, key: str | None) -> dict[str, str]:
        """The key or token, else the account's, unless the query has a ticket."""
        if key:
            return {"X-API-Key": key}
        return {} if "ticket=" in query else {"Authorization": f"Bearer {token or self.token}"}

    @contextmanager
    def socket(
        self,
        query: str = "",
        *,
        token: str | None = None,
        key: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> Iterator[ClientConnection]:
        """A WebSocket that follows."""
        headers = self.credentials(query, token, key)
        address = f"ws://127.0.0.1:{port or self.site.web.port}{EVENTS}/ws?{query}"
        with connect(address, additional_headers=headers, proxy=None, **options) as socket:
            yield socket

    @contextmanager
    def stream(
        self, query: str = "", *, token: str | None = None, key: str | None = None, **headers: str
    ) -> Iterator[tuple[HTTPResponse, Iterator[Message]]]:
        """A stream of server-sent events: the answer, and its messages as they come."""
        headers |= self.credentials(query, token, key)
        connection = HTTPConnection("127.0.0.1", self.site.web.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request("GET", f"{EVENTS}/stream?{query}", headers=headers)
            with connection.getresponse() as response:
                yield response, _messages(response)


def read(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next events, without the heartbeats between them."""
    return list(islice(_events(socket), count))


def read_to_the_end(socket: ClientConnection) -> None:
    """Read until the connection is closed, for whatever reason."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(PATIENCE_SECONDS)


def news(messages: Iterator[Message]) -> Iterator[Message]:
    """The messages that are events."""
    return (message for message in messages if message.event == "message")


def next_heartbeat(socket: ClientConnection) -> int:
    """The position that the next heartbeat tells, whatever comes before it."""
    while "id" in (message := json.loads(socket.recv(PATIENCE_SECONDS))):
        pass
    return int(message["position"])


def _events(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        message = json.loads(socket.recv(PATIENCE_SECONDS))
        if "id" in message:
            yield message


def _messages(response: HTTPResponse) -> Iterator[Message]:
    message = Message()
    for line in iter(response.readline, b""):
        name, _, value = line.decode().strip().partition(": ")
        if name == "id":
            message.id = int(value)
        elif name == "event":
            message.event = value
        elif name == "data":
            message.data = json.loads(value)
        elif not name and message.data:
            yield message
            message = Message()

"""Clients that keep their connections, or open another one each time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from threading import Event, Thread
from typing import Self

from tests.contract.conftest import Site
from tests.threads import until

CLIENTS = 4

Ask = Callable[[HTTPConnection], HTTPResponse]


def healthz(connection: HTTPConnection) -> HTTPResponse:
    return answer_of(connection, "GET", "/healthz")


def newest(connection: HTTPConnection) -> HTTPResponse:
    return answer_of(connection, "GET", "/api/v1/products")


def answer_of(connection: HTTPConnection, method: str, path: str, **how: str) -> HTTPResponse:
    """The answer, read to its end. Where the last one closed the connection, by another one."""
    headers = {"Authorization": how["token"]} if "token" in how else {}
    headers["Content-Type"] = "application/json"
    connection.request(method, path, how.get("body"), headers)
    answer = connection.getresponse()
    answer.read()
    return answer


@dataclass
class Client:
    """Asks again and again over a connection, for as long as the server keeps it.

    :ivar pause_seconds: between an answer and the next request.
    :ivar keeps: whether it keeps the connection itself.
    """

    site: Site
    ask: Ask
    pause_seconds: float = 0.0
    keeps: bool = True
    statuses: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = Event()
        self._thread = Thread(target=self._ask_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask_on(self) -> None:
        connection = connect(self.site)
        try:
            while not self.failures and not self._over.wait(self.pause_seconds):
                self.statuses.append(self.ask(connection).status)
                if not self.keeps:
                    connection.close()
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is one
            self.failures.append(failure)
        finally:
            connection.close()


def assert_answered_again(*clients: Client) -> None:
    """Wait until each client has got an answer that it asked for after this call."""
    seen = [len(client.statuses) for client in clients]
    for client, count in zip(clients, seen, strict=True):
        until(
            lambda client=client, count=count: len(client.statuses) > count + 1 or client.failures
        )
    assert [client.failures for client in clients] == [[]] * len(clients)


def connect(site: Site) -> HTTPConnection:
    return HTTPConnection(site.web.host, site.web.port, timeout=30)


@contextmanager
def kept(site: Site) -> Iterator[list[HTTPConnection]]:
    """Connections that were answered once, and are still open; those of each process among them."""
    with ExitStack() as stack:
        connections = [connect(site) for _ in range(2 * CLIENTS)]
        for connection in connections:
            stack.callback(connection.close)
        assert {healthz(connection).status for connection in connections} == {200}
        yield connections

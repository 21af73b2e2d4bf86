"""Clients that do not take leave, and those that do not read, hold nobody else up."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from selectors import DefaultSelector
from time import monotonic

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from stockroom.serving import sending
from stockroom.serving.farewells import FAREWELL_SECONDS, MOST_UNREAD, Farewells
from stockroom.serving.reading_ahead import CHUNK_BYTES, parser_of
from tests.contract.conftest import Site
from tests.contract.web import request

IN_A_THREAD = {"Cookie": "a=b", "Connection": "keep-alive"}


@contextmanager
def clients(site: Site, count: int, sent: bytes) -> Iterator[None]:
    """So many that have sent this, and neither read what comes of it nor leave."""
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(30)
            client.connect((site.web.host, site.web.port))
            client.sendall(sent)
        yield


@pytest.fixture
def wires() -> Iterator[tuple[TConn, socket.socket]]:
    """A connection as a worker has it, and its client."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield TConn(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/users/me", "/api/v1/products"])
def test_nobody_waits_for_a_client_that_leaves_its_side_open(pair: Site, path: str) -> None:
    """Each of them would hold its process for two seconds."""
    with clients(pair, 40, request("GET", path)):
        began = monotonic()
        for _ in range(8):
            assert pair.web.get("/healthz").status == 200
        assert monotonic() - began < FAREWELL_SECONDS


@pytest.mark.heavy
def test_who_does_not_read_holds_a_thread_for_a_while_alone(pair: Site) -> None:
    with clients(pair, 20, request("GET", "/openapi.json", headers=IN_A_THREAD) * 20):
        for _ in range(8):
            assert pair.web.get("/api/v1/users/me").status == 401


def test_what_is_not_taken_in_time_is_not_sent(
    wires: tuple[TConn, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.05)
    conn, _ = wires
    assert sending.send_rest(conn, b"x" * 10_000_000, is_last=False) is False


@pytest.mark.parametrize(
    ("act", "is_closed"),
    [(lambda client: client.close(), True), (lambda client: client.send(b"a"), False),
     (lambda client: client.sendall(b"a" * (MOST_UNREAD + 1)), True)],
    ids=["leaves", "says more", "says far more"],
)  # fmt: skip
def test_a_connection_is_closed_when_its_client_has_seen_the_end(
    wires: tuple[TConn, socket.socket], act: Callable[[socket.socket], object], *, is_closed: bool
) -> None:
    conn, client = wires
    closed: list[TConn] = []
    with DefaultSelector() as selector:
        farewells = Farewells(selector, closed.append)
        farewells.begin(conn)
        assert client.recv(1) == b""
        act(client)
        while not closed and (ready := selector.select(0)):
            for key, _ in ready:
                key.data(key.fileobj)
        assert closed == ([conn] if is_closed else [])
        assert len(selector.get_map()) == (0 if is_closed else 1)


def test_a_client_that_does_not_leave_is_waited_for_a_while_alone(
    wires: tuple[TConn, socket.socket],
) -> None:
    conn, _ = wires
    closed: list[TConn] = []
    with DefaultSelector() as selector:
        farewells = Farewells(selector, closed.append)
        farewells.begin(conn)
        farewells.end_overdue()
        assert closed == []
        conn.timeout = monotonic()
        farewells.end_overdue()
        assert closed == [conn]
        assert len(selector.get_map()) == 0


def test_of_what_a_client_sends_ahead_no_more_is_read_than_is_needed(
    wires: tuple[TConn, socket.socket],
) -> None:
    conn, client = wires
    parser = parser_of(conn)
    client.setblocking(False)
    asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    held = []
    for _ in range(20):
        with suppress(BlockingIOError):
            client.send(asked * 2_000)
        assert parser.has_asked()
        next(parser)
        held.append(len(parser.reader.buf.getvalue()))
    assert max(held) <= CHUNK_BYTES

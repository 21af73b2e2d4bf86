"""Clients that are slow to say what they want hold nobody else up."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import BinaryIO

import pytest

from stockroom.serving.reading_ahead import Reader
from stockroom.serving.thread_worker import BODY_SECONDS
from tests.contract.conftest import Site
from tests.contract.web import request

CROWD = 40
"""Several for each thread of the two processes."""
HEAD = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: stockroom.example\r\nX-Slow: "


@contextmanager
def crowd(site: Site, beginning: bytes, count: int) -> Iterator[list[socket.socket]]:
    """So many clients that have sent this, and wait."""
    with ExitStack() as stack:
        address = (site.web.host, site.web.port)
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(count)
        ]
        for client in clients:
            client.sendall(beginning)
        yield clients


@pytest.mark.parametrize("beginning", [b"", b"G", HEAD, HEAD + b"a" * 3000 + b"\r\n"])
def test_a_head_that_does_not_end_holds_no_thread(pair: Site, beginning: bytes) -> None:
    with crowd(pair, beginning, CROWD):
        for _ in range(8):
            assert pair.web.get("/healthz").status == 200


def test_a_head_that_comes_byte_by_byte_is_answered(pair: Site) -> None:
    with crowd(pair, b"", 1) as (client,):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("GET", "/healthz"):
            client.sendall(bytes([byte]))
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def test_requests_that_come_at_once_on_one_connection_are_all_answered(pair: Site) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    last = request("GET", "/healthz")
    with crowd(pair, asked * 3 + last[:20], 1) as (client,), client.makefile("rb") as answers:
        assert [_status(answers) for _ in range(3)] == [200, 200, 200]
        client.sendall(last[20:])
        assert _status(answers) == 200


def _status(answers: BinaryIO) -> int:
    """The status of the next answer, which is read to its end."""
    line = answers.readline()
    while b'"alive"' not in answers.readline():
        pass
    return int(line.split()[1])


@pytest.mark.heavy
def test_a_body_that_does_not_end_holds_its_thread_for_a_while_alone(pair: Site) -> None:
    beginning = request("POST", "/api/v1/auth/login", headers={"Content-Length": "1000"})
    with crowd(pair, beginning, CROWD) as clients:
        # Whoever is among those that got no thread at first is answered after the others.
        assert pair.web.get("/healthz").status == 200
        for client in clients:
            client.settimeout(5 * BODY_SECONDS)
            assert client.recv(100).startswith(b"HTTP/1.1 4")


def test_a_body_is_read_until_its_time_is_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = Reader(ours)
        reader.deadline = monotonic() + 0.05
        theirs.sendall(b"half")
        assert reader.read(4) == b"half"
        with pytest.raises(TimeoutError):
            reader.read(4)
        with pytest.raises(TimeoutError):
            reader.read(4)

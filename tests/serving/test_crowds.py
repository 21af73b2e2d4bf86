"""Many connections that are kept between two requests, over few threads."""

import socket
from contextlib import ExitStack

import pytest

from tests.contract.conftest import Site

ASKED = "GET /api/v1/products?sku=none HTTP/1.1\r\nHost: stockroom.example\r\n{}\r\n"
AT_ONCE, IN_A_THREAD = "", "Cookie: a=b\r\n"


@pytest.mark.parametrize("header", [IN_A_THREAD, AT_ONCE])
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.heavy)])
def test_a_crowd_that_keeps_its_connections_is_answered_again_and_again(
    pair: Site, count: int, header: str
) -> None:
    with ExitStack() as stack:
        address = (pair.web.host, pair.web.port)
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(count)
        ]
        for _ in range(3):
            for client in clients:
                client.sendall(ASKED.format(header).encode())
            assert {_status(client) for client in clients} == {200}


def _status(client: socket.socket) -> int:
    """The status of the next answer, which leaves the connection open."""
    answer = b""
    while not answer.rstrip().endswith(b"}"):
        more = client.recv(4096)
        assert more
        answer += more
    assert b"Connection: keep-alive" in answer
    return int(answer.split()[1])

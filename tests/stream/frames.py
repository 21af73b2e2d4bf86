"""A WebSocket's frames as they are on the wire, for a client that breaks the rules."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract import web
from tests.stream.clients import EVENTS, PATIENCE_SECONDS, Live

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
LITTLE_ROOM = 4096
_NAMES = {1: "text", 8: "close", 9: "ping", 10: "pong"}


@contextmanager
def shaken_hands(live: Live, query: str = "", *, way: str = "ws") -> Iterator[socket.socket]:
    """A stream after its head, of which nothing is read, and nothing answered, by itself."""
    headers = {**(HANDSHAKE if way == "ws" else {}), "Authorization": f"Bearer {live.token}"}
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_ROOM)
        wire.settimeout(PATIENCE_SECONDS)
        wire.connect((live.site.web.host, live.site.web.port))
        wire.sendall(web.request("GET", f"{EVENTS}/{way}?{query}", headers=headers))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += wire.recv(1)
        assert head.startswith(b"HTTP/1.1 101" if way == "ws" else b"HTTP/1.1 200"), head
        yield wire


def frames(wire: socket.socket) -> Iterator[tuple[str, bytes]]:
    """Kind and content of each frame, until the connection ends or a frame is cut off."""
    with wire.makefile("rb") as stream:
        while len(head := stream.read(2)) == 2:
            length = head[1]
            if length == 126:
                (length,) = struct.unpack("!H", stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", stream.read(8))
            content = stream.read(length)
            if len(content) < length:
                return
            yield _NAMES[head[0] & 15], content


def opcodes(wire: socket.socket) -> list[str]:
    return [kind for kind, _ in frames(wire)]

"""Sockets that keep to a moment by which all must be over.

A timeout of a socket begins anew with each byte that arrives: a receiver that sends one now and
then would hold a connection for as long as it likes.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

_ends_at: ContextVar[float] = ContextVar("ends_at")


@contextmanager
def all_within(seconds: float) -> Iterator[None]:
    """Bound the time that this thread's sockets take together, until the block ends."""
    token = _ends_at.set(monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def seconds_left() -> float:
    """:raises TimeoutError: if nothing is left."""
    left = _ends_at.get() - monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class BoundSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(seconds_left())
        super().sendall(*args, **kwargs)


class BoundSSLSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        # What sendall is made of.
        self.settimeout(seconds_left())
        return super().send(*args, **kwargs)


def connected(address: str, port: int) -> BoundSocket:
    """:raises OSError: if nobody takes the connection, or not in time."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = BoundSocket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(seconds_left())
        made.connect((address, port))
    except BaseException:
        made.close()
        raise
    return made


def tls_context() -> ssl.SSLContext:
    """Verifies certificates and names, by what the system trusts."""
    context = ssl.create_default_context()
    context.sslsocket_class = BoundSSLSocket
    return context

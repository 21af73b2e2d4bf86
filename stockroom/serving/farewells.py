"""Connections that are over, until their clients have seen it.

One that is closed while something of the client is unread is reset, and the client may lose the end
of its answer (RFC 9112, 9.6). gunicorn waits for up to two seconds in the loop, which meanwhile
serves nobody.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, BaseSelector
from socket import SHUT_WR
from time import monotonic

from gunicorn.workers.gthread import TConn

FAREWELL_SECONDS = 2.0
"""How long a client has to close its side."""
MOST_UNREAD = 64 * 1024
"""Bytes that a client may still send, before the connection is closed all the same."""


class Farewells:
    """Those of one worker; ``close`` is called with each connection in the end."""

    def __init__(self, poller: BaseSelector, close: Callable[[TConn], None]) -> None:
        self._poller = poller
        self._close = close
        self._unread: dict[TConn, int] = {}

    def begin(self, conn: TConn) -> None:
        """Say that no more comes, and close once the client has read it, or its time is up."""
        try:
            conn.sock.shutdown(SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            self._close(conn)
            return
        conn.timeout = monotonic() + FAREWELL_SECONDS
        self._unread[conn] = MOST_UNREAD
        self._poller.register(conn.sock, EVENT_READ, partial(self._read, conn))

    def end_overdue(self) -> None:
        now = monotonic()
        for conn in [conn for conn in self._unread if (conn.timeout or 0) <= now]:
            self._end(conn)

    def _read(self, conn: TConn, _file: object) -> None:
        try:
            chunk = conn.sock.recv(MOST_UNREAD)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._unread[conn] -= len(chunk)
        if not chunk or self._unread[conn] < 0:
            self._end(conn)

    def _end(self, conn: TConn) -> None:
        del self._unread[conn]
        with suppress(OSError, KeyError, ValueError):
            self._poller.unregister(conn.sock)
        self._close(conn)

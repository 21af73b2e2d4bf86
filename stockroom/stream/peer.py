"""The socket of a client that follows: nothing sent to it waits for ever."""

import select
import socket
from contextlib import suppress
from threading import Lock
from typing import Any

PATIENCE_SECONDS = 10.0


class Peer:
    """In place of gunicorn's socket, with what simple-websocket asks of one."""

    def __init__(self, sock: socket.socket, patience_seconds: float = PATIENCE_SECONDS) -> None:
        # With it ``sendall`` gives up in time, also where a client takes a byte now and then.
        sock.settimeout(patience_seconds)
        self._sock = sock
        self._patience_seconds = patience_seconds
        self._lock = Lock()
        self._is_lost = self._is_torn = self._is_hurried = False

    @classmethod
    def of(cls, environ: dict[str, Any]) -> "Peer | None":
        """The client of a request; None where the server is not gunicorn."""
        sock = environ.get("gunicorn.socket")
        return cls(sock) if sock is not None else None

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        return self._sock.recv(size)

    def send(self, data: bytes) -> int:
        """Send all of it.

        :raises TimeoutError: if the client does not take it in time.
        :raises OSError: if the connection is lost.
        """
        # Pongs and events come from two threads; each frame has to stay in one piece.
        with self._lock:
            if self._is_hurried:
                return self._send_now(data)
            if self._is_lost or not self.can_take():
                self._is_lost = True
                raise TimeoutError
            self._is_torn = self._is_lost = True
            self._sock.sendall(data)
            self._is_torn = self._is_lost = False
        return len(data)

    def hurry(self) -> None:
        """Wait no more: what is sent from now on has room at this moment, or is not sent."""
        self._is_hurried = True
        self._sock.settimeout(0)

    def can_take(self) -> bool:
        """Wait until the client takes what it was sent before, but not for ever."""
        return self._is_ready(select.POLLOUT, self._patience_seconds)

    def has_left(self) -> bool:
        """Whether the client has closed the connection, seen without a wait."""
        try:
            is_readable = self._is_ready(select.POLLIN, 0)
            return is_readable and not self._sock.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def cut(self) -> None:
        """End the connection in both directions; gunicorn, whose socket it is, closes it."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """simple-websocket is through with it."""

    def _send_now(self, data: bytes) -> int:
        # After a part of a frame, nothing would be understood.
        return 0 if self._is_torn else self._sock.send(data)

    def _is_ready(self, event: int, seconds: float) -> bool:
        # Not ``select``, which knows no more than a thousand connections.
        poll = select.poll()
        poll.register(self._sock, event)
        return bool(poll.poll(seconds * 1000))

"""gunicorn's worker with threads, none of which waits for a client that is slow to ask.

gunicorn gives a thread to every connection that has begun to speak, and the thread waits for the
rest as long as the client likes: as many slow clients as there are threads, and nobody else is
served. Here the loop that watches over all connections reads the head of a request, and a thread
gets it once it is whole. A body is read by the thread, which has to have it in time.

Nothing of the application is imported here: gunicorn's first process needs the class as well.
"""

import os
import socket
from functools import partial
from selectors import EVENT_READ
from time import monotonic
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10.0
"""How long a client may take from its connection, or first byte, to the end of the head."""
BODY_SECONDS = 30.0
"""How long a thread may take for the body of a request."""

_CHUNK_BYTES = 64 * 1024
_HEAD_ENDS = (b"\r\n\r\n", b"\n\n")


class PatientWorker(ThreadWorker):
    """Overrides where gunicorn hands a connection to the threads."""

    def enqueue_req(self, conn: TConn) -> None:
        """Give the connection a thread now, or as soon as it has asked for something."""
        if self._has_asked(conn):
            super().enqueue_req(conn)
            return
        # gunicorn closes what is pending when its time is up.
        conn.timeout = monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        on_more = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, EVENT_READ, on_more)

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        if self._has_asked(conn):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        _reader_of(conn).deadline = monotonic() + BODY_SECONDS
        return super().handle(conn)

    def _has_asked(self, conn: TConn) -> bool:
        """Read what has come. Whether it is enough for a thread that does not want to wait."""
        conn.init()
        conn.sock.setblocking(False)
        reader = _reader_of(conn)
        try:
            is_over = not reader.take()
        except BlockingIOError:
            # What came before may hold the next request.
            is_over = False
        except OSError:
            is_over = True
        return is_over or self._is_whole(reader.buf.getvalue())

    def _is_whole(self, head: bytes) -> bool:
        """Whether it is a head, or already more than one may be, which gunicorn refuses."""
        if any(end in head for end in _HEAD_ENDS):
            return True
        line, fields = self.cfg.limit_request_line, self.cfg.limit_request_fields
        most = line + fields * (self.cfg.limit_request_field_size + 2)
        return len(head) > most or (b"\n" not in head and len(head) > line)


class Reader(SocketUnreader):
    """What the parser of a connection reads from: without waiting at first, then until a deadline.

    :ivar deadline: by the monotonic clock.
    """

    deadline = 0.0

    def take(self) -> bytes:
        """Add what has come to what is read next.

        :raises BlockingIOError: if nothing has come.
        """
        chunk = self.sock.recv(_CHUNK_BYTES)
        self.buf.seek(0, os.SEEK_END)
        self.buf.write(chunk)
        return chunk

    def chunk(self, size_hint: int | None = None) -> bytes:
        """:raises TimeoutError: which the application tells as a client that went away."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
        try:
            return super().chunk(size_hint)  # type: ignore[call-arg]  # the stubs are older
        finally:
            self.sock.settimeout(None)


def _reader_of(conn: TConn) -> Reader:
    assert isinstance(conn.parser, RequestParser)  # noqa: S101 - only HTTP/1.1 is spoken here
    if not isinstance(conn.parser.unreader, Reader):
        conn.parser.unreader = Reader(conn.sock)
    return conn.parser.unreader

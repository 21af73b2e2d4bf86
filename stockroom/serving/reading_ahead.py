"""What is read of a connection before a thread has it: as much as has come, without waiting.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

import os
from time import monotonic

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

CHUNK_BYTES = 64 * 1024
_HEAD_END = b"\r\n\r\n"


class Reader(SocketUnreader):
    """What the parser of a connection reads from: without waiting at first, then until a deadline.

    :ivar deadline: by the monotonic clock.
    """

    deadline = 0.0

    def take(self) -> bytes:
        """Add what has come to what is read next.

        :raises BlockingIOError: if nothing has come.
        """
        chunk = self.sock.recv(CHUNK_BYTES)
        self.buf.seek(0, os.SEEK_END)
        self.buf.write(chunk)
        return chunk

    def chunk(self, size_hint: int | None = None) -> bytes:
        """:raises TimeoutError: which the application tells as a client that went away."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        before = self.sock.gettimeout()
        self.sock.settimeout(left)
        try:
            return super().chunk(size_hint)  # type: ignore[call-arg]  # the stubs are older
        finally:
            self.sock.settimeout(before)


class Parser(RequestParser):
    """gunicorn's, which can parse a request for the loop and give it to a thread after all."""

    _ahead: Request | None = None
    _failed: Exception | None = None

    def __init__(self, conn: TConn) -> None:
        super().__init__(conn.cfg, conn.sock, conn.client)
        self.unreader = self.reader = Reader(conn.sock)

    def has_asked(self) -> bool:
        """Read what has come. Whether it is enough for a thread that does not want to wait."""
        # What came before may hold the next request: to read on would pile up what comes after it.
        if self._is_whole(self.reader.buf.getvalue()):
            return True
        try:
            is_over = not self.reader.take()
        except BlockingIOError:
            return False
        except OSError:
            is_over = True
        return is_over or self._is_whole(self.reader.buf.getvalue())

    def look_ahead(self) -> Request | None:
        """The next request, if it is a GET whose head has come: ``next`` gives the same one."""
        head = self.reader.buf.getvalue()
        if not head.startswith(b"GET ") or _HEAD_END not in head:
            return None
        try:
            self._ahead = super().__next__()
        except Exception as error:  # noqa: BLE001 - whoever asks for the request meets it
            self._failed = error
        return self._ahead

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:  # type: ignore[override]  # the stubs are older
        """As gunicorn's, but for a look at the socket where all of the body was read."""
        body = self.mesg.body if self.mesg else None
        if body and getattr(body.reader, "length", None) == 0:
            return True
        return super().finish_body(deadline, max_bytes)  # type: ignore[return-value]

    def _is_whole(self, head: bytes) -> bool:
        """Whether it is a head, or already more than one may be, which gunicorn refuses."""
        if _HEAD_END in head or b"\n\n" in head:
            return True
        line, fields = self.cfg.limit_request_line, self.cfg.limit_request_fields
        most = line + fields * (self.cfg.limit_request_field_size + 2)
        return len(head) > most or (b"\n" not in head and len(head) > line)

    def __next__(self) -> Request:
        failed, self._failed = self._failed, None
        if failed:
            raise failed
        ahead, self._ahead = self._ahead, None
        return ahead or super().__next__()


def parser_of(conn: TConn) -> Parser:
    """The parser of a connection, which speaks HTTP/1.1 as all of them do here."""
    if not isinstance(conn.parser, Parser):
        conn.parser = Parser(conn)
    return conn.parser

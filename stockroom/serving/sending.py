"""What a worker's loop sends without a thread, and what it leaves to one.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

from collections.abc import Callable
from functools import lru_cache
from time import time
from typing import Any

from gunicorn import SERVER
from gunicorn.http.message import Request
from gunicorn.http.wsgi import create
from gunicorn.util import http_date
from gunicorn.workers.gthread import TConn

from stockroom.core.hot_reads.at_once import AT_ONCE, Answers, Headers

SEND_SECONDS = 10.0
"""How long a client may take for each piece of an answer that a thread sends."""


class Reply:
    """What becomes of a request that no thread has.

    :ivar is_last: whether the client wants the connection closed after it.
    """

    def __init__(self, request: Request, conn: TConn) -> None:
        """:raises AttributeError: for who has to be told 100 Continue first: a thread does that."""
        self.is_last = bool(request.should_close())
        nowhere: Any = None
        _, self._environ = create(request, nowhere, conn.client, conn.server, conn.cfg)
        self._environ.update({"wsgi.multithread": True, AT_ONCE: True})

    def answered(self, application: Answers) -> bytes:
        """Head and body of what the application answers, as gunicorn writes them.

        Of its headers, which are the application's own and none of a view, gunicorn would refuse
        other control characters as well, and leave out what concerns the connection.

        :raises WouldWait: if it cannot do so at once.
        :raises ValueError: if a header holds what would end it.
        """
        parts: list[bytes] = []
        parts.extend(application(self._environ, self._begin(parts.append)))
        return b"".join(parts)

    def _begin(self, write: Callable[[bytes], None]) -> Callable[[str, Headers], None]:
        protocol = self._environ["SERVER_PROTOCOL"]

        def start_response(status: str, headers: Headers) -> None:
            lines = [f"{protocol} {status}", *_constant_lines(int(time()), self.is_last)]
            lines += [f"{name}: {value}" for name, value in headers]
            write(_written(lines))

        return start_response


def _written(lines: list[str]) -> bytes:
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    # gunicorn looks at each header by itself, which takes as long as all the rest of an answer.
    if not head.count(b"\r") == head.count(b"\n") == len(lines) + 1:
        raise ValueError("A header holds a line break.")
    return head


@lru_cache(maxsize=2)
def _constant_lines(second: int, is_last: bool) -> tuple[str, ...]:
    """Of the head, what the server says of itself within one second."""
    connection = "close" if is_last else "keep-alive"
    return f"Server: {SERVER}", f"Date: {http_date(second)}", f"Connection: {connection}"


def not_taken(conn: TConn, answer: bytes) -> bytes:
    """Send what the connection takes without waiting; returns the rest."""
    try:
        return answer[conn.sock.send(answer) :]
    except OSError:
        # It takes nothing now, or never will: a thread finds out.
        return answer


def send_rest(conn: TConn, rest: bytes, *, is_last: bool) -> bool:
    """Send it, if the client takes it in time. Whether the connection can be kept after it."""
    try:
        conn.sock.settimeout(SEND_SECONDS)
        conn.sock.sendall(rest)
    except OSError:
        return False
    return not is_last

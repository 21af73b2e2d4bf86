"""What a worker's loop sends without a thread, and what it leaves to one.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.wsgi import create
from gunicorn.workers.gthread import TConn

from stockroom.at_once import AT_ONCE, Answers


class Reply:
    """What becomes of a request that no thread has."""

    def __init__(self, request: Request, conn: TConn) -> None:
        outbox: Any = _Outbox()
        self._response, self._environ = create(request, outbox, conn.client, conn.server, conn.cfg)
        self._parts = outbox.parts
        self._environ.update({"wsgi.multithread": True, AT_ONCE: True})

    def answered(self, application: Answers) -> bytes:
        """Head and body of what the application answers.

        :raises WouldWait: if it cannot do so at once.
        """
        for part in application(self._environ, self._response.start_response):
            self._response.write(part)
        self._response.close()
        return b"".join(self._parts)


def not_taken(conn: TConn, answer: bytes) -> bytes:
    """Send what the connection takes without waiting; returns the rest."""
    try:
        return answer[conn.sock.send(answer) :]
    except OSError:
        # It takes nothing now, or never will: a thread finds out.
        return answer


def send_rest(conn: TConn, rest: bytes) -> bool:
    """Send it however long that takes. Whether the connection can be kept after it."""
    try:
        conn.sock.setblocking(True)
        conn.sock.sendall(rest)
    except OSError:
        return False
    return True


class _Outbox:
    """Stands for the socket to gunicorn's writer, so that head and body leave together.

    Only that can be sent with it: who has to be told 100 Continue first is told by a thread.
    """

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.parts.append(data)

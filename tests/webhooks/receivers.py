"""Servers that receive webhooks, in threads of the test."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self

from standardwebhooks import Webhook as Verifier

from stockroom.core.database import new_id, now
from stockroom.webhooks.sending.parcels import Parcel


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> Any:
        """The body, if the secret signed it; an error otherwise."""
        return Verifier(secret).verify(self.body, dict(self.headers))


Answer = tuple[int, Mapping[str, str], bytes]
OK: Answer = (200, {}, b"thank you")


class Receiver:
    """Keeps what it receives, and answers as ``answer`` says."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _received: OK
        self.connections = 0
        self.released = Event()
        self._server = _server(self)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=[0.01])

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [received.message_id for received in self.received]

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _received: (status, named, body)

    def hang(self, _received: Received) -> Answer:
        """An answer that comes when the receiver is closed."""
        self.released.wait(30)
        return OK

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def parcel(url: str, body: bytes = b"{}") -> Parcel:
    """One to send without a row behind it."""
    return Parcel(
        delivery_id=new_id(),
        claim=1,
        webhook_id=new_id(),
        url=url,
        event_id=new_id(),
        body=body,
        keys=[b"key"],
        attempts=0,
        created_at=now(),
    )


def _server(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One that is kept open ends by itself, though nobody waits for it.
        timeout = 10
        disable_nagle_algorithm = True

        def setup(self) -> None:
            receiver.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(self.path, dict(self.headers), body)
            receiver.received.append(received)
            status, headers, answer = receiver.answer(received)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is no error."""

    return Server(("127.0.0.1", 0), Handler)

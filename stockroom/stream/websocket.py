"""Events over a WebSocket (RFC 6455): flask-sock takes over the connection of a request."""

import json
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from threading import Thread

import structlog
from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from stockroom.core.context import settings
from stockroom.core.errors import BadRequest, Unavailable, UpgradeRequired
from stockroom.stream.follower import Follower
from stockroom.stream.peer import Peer
from stockroom.stream.ring import Line
from stockroom.stream.steps import Goodbye, Heartbeat

log = structlog.get_logger(__name__)

LONGEST_MESSAGE = 4096
"""Bytes. What clients say is not looked at, and no reason to close the connection up to here."""
FAREWELL_SECONDS = 2.0
VERSION = "13"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")


def init_app(app: Flask) -> None:
    with app.app_context():
        app.config["SOCK_SERVER_OPTIONS"] = {
            # A client that has not answered one ping when the next is due is gone.
            "ping_interval": settings().stream_heartbeat_seconds,
            "max_message_size": LONGEST_MESSAGE,
            "thread_class": partial(Thread, daemon=True),
        }


def require_upgrade() -> None:
    """:raises UpgradeRequired: if the request does not ask for a WebSocket.
    :raises BadRequest: if it asks without a key to answer with.
    """
    is_asked_for = request.headers.get("Upgrade", "").lower() == "websocket"
    if not is_asked_for or request.headers.get("Sec-WebSocket-Version") != VERSION:
        raise UpgradeRequired
    if not _KEY.fullmatch(request.headers.get("Sec-WebSocket-Key", "")):
        raise BadRequest("Sec-WebSocket-Key is not 16 bytes in base64 (RFC 6455, 4.1).")


def response(follower: Follower) -> Response:
    """Send events until one side ends it.

    :raises BadRequest: if the handshake breaks the protocol.
    :raises Unavailable: if the server cannot hand over the connection.
    """
    peer = Peer.of(request.environ)
    if peer is None:
        raise Unavailable("This server cannot hand over its connection.")
    request.environ["gunicorn.socket"] = peer
    # Compression would cost each follower a quarter of a megabyte.
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    try:
        answer = _taken_over(lambda ws: _Conversation(ws, peer, follower).hold())
    except RemoteProtocolError as error:
        raise BadRequest(f"The handshake is malformed: {error}") from None
    answer.status_code = HTTPStatus.SWITCHING_PROTOCOLS
    return answer


class _Conversation:
    """What passes between server and client, from the handshake to the end."""

    def __init__(self, ws: Server, peer: Peer, follower: Follower) -> None:
        self._ws = ws
        self._peer = peer
        self._follower = follower
        # What the client says is thrown away as it comes, and its leaving wakes the follower.
        ws.input_buffer = deque(maxlen=0)
        ws.event = follower.news

    def hold(self) -> None:
        try:
            self._send_all()
        except TimeoutError:
            self._drop("too slow")
        except (OSError, ConnectionClosed, LocalProtocolError):
            # The client has left without a word, or the thread that reads has shown it out.
            self._note_silence()
        except Exception:
            # An error page would end in the middle of the frames.
            log.exception("stream failed")
            self._end(Goodbye.FAILED)
        finally:
            self._part()

    def _send_all(self) -> None:
        for step in self._follower.steps(lambda: self._ws.connected):
            if isinstance(step, Goodbye):
                self._end(step)
                return
            self._ws.send(_text(step))
        self._note_silence()

    def _note_silence(self) -> None:
        is_shown_out = self._ws.ws.state is ConnectionState.LOCAL_CLOSING
        if is_shown_out and not self._ws.pong_received:
            log.warning("stream dropped", reason="no pong", address=request.remote_addr)

    def _drop(self, reason: str) -> None:
        log.warning("stream dropped", reason=reason, address=request.remote_addr)
        self._peer.hurry()
        self._end(Goodbye.TOO_SLOW)
        self._peer.cut()

    def _end(self, goodbye: Goodbye) -> None:
        # Not by ``close`` of simple-websocket: while one thread finds the client too slow, the
        # other one, with a ping, may have found so as well, and then it says nothing.
        close = CloseConnection(goodbye.code, goodbye.reason(self._follower.position))
        with suppress(OSError, LocalProtocolError):
            self._peer.send(self._ws.ws.send(close))
        self._ws.connected = False

    def _part(self) -> None:
        """Wait for the client's own goodbye, but not for ever, and leave no thread behind."""
        self._ws.thread.join(FAREWELL_SECONDS)
        self._peer.cut()
        self._ws.thread.join(FAREWELL_SECONDS)


def _text(step: Line | Heartbeat) -> str:
    if isinstance(step, Line):
        return step.text
    return json.dumps({"type": "heartbeat", "position": step.position})


def _taken_over(hold: Callable[[Server], object]) -> Response:
    """Shake hands, hold the conversation, and end the request as its server wants it ended.

    flask-sock does this in a view of its own; here it is called by one that is in the document.
    """
    views: list[Callable[[], Response]] = []
    Sock().route("/", bp=_Catcher(views))(hold)
    return views[0]()


class _Catcher:
    """Stands for the blueprint on which flask-sock would register its view."""

    def __init__(self, views: list[Callable[[], Response]]) -> None:
        self._views = views

    def route(self, _path: str, **_options: object) -> Callable[[Callable[[], Response]], None]:
        return self._views.append

"""Events as server-sent events (HTML Living Standard, 9.2), for ``EventSource`` and ``curl``."""

import json
from collections.abc import Iterator, Sequence

import structlog
from flask import Response, request

from stockroom.core.http.streaming import started
from stockroom.core.permissions import Caller
from stockroom.stream.follower import Follower, following
from stockroom.stream.peer import Peer
from stockroom.stream.ring import Line
from stockroom.stream.steps import Goodbye, Heartbeat, Step

log = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
MESSAGE = {
    "type": "object",
    "description": "Each message, as the fields of its lines.",
    "properties": {
        "id": {"type": "string", "description": "The position, to go on from."},
        "event": {
            "type": "string",
            "enum": ["heartbeat", "bye"],
            "description": "Absent where `data` is an event.",
        },
        "data": {"type": "string", "description": "A JSON document."},
        "retry": {"type": "integer", "description": "Milliseconds before a new attempt."},
    },
}
"""For the OpenAPI document, which has no words of its own for messages that follow each other."""

RETRY_MILLISECONDS = 2000
# What fits wherever a socket says that it takes more.
BYTES_AT_ONCE = 2048


def response(caller: Caller, after: int | None, types: Sequence[str]) -> Response:
    """:raises EventsExpired: if nobody can go on from the position.
    :raises TooManyStreams: if all places are taken.
    """
    answer = Response(started(_stream(caller, after, types)), mimetype=MEDIA_TYPE)
    # nginx would otherwise keep events back until it has a buffer full of them.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _stream(caller: Caller, after: int | None, types: Sequence[str]) -> Iterator[bytes]:
    peer = Peer.of(request.environ)
    with following(caller, after, types) as follower:
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        for piece in _pieces(follower, peer):
            if peer and not peer.can_take():
                log.warning("stream dropped", reason="too slow", address=request.remote_addr)
                peer.cut()
                return
            yield piece


def _pieces(follower: Follower, peer: Peer | None) -> Iterator[bytes]:
    for step in follower.steps(lambda: peer is None or not peer.has_left()):
        text = _text(step, follower.position)
        for begin in range(0, len(text), BYTES_AT_ONCE):
            yield text[begin : begin + BYTES_AT_ONCE]


def _text(step: Step, position: int) -> bytes:
    match step:
        case Line():
            text = f"id: {step.position}\ndata: {step.text}\n\n"
        case Heartbeat():
            data = json.dumps({"position": step.position})
            text = f"id: {step.position}\nevent: heartbeat\ndata: {data}\n\n"
        case Goodbye():
            data = json.dumps({"code": step.code, "reason": step.reason(position)})
            text = f"event: bye\ndata: {data}\n\n"
    return text.encode("ascii")

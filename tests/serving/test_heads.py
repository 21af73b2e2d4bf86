"""What the loop sends is, byte by byte, what gunicorn itself would send."""

import re
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from hypothesis import given
from hypothesis import strategies as st

from stockroom.serving.sending import Reply

CONN: Any = SimpleNamespace(client=("127.0.0.1", 1), server=("127.0.0.1", 2), cfg=Config())
NAMES = st.from_regex(r"X-[A-Za-z0-9-]{1,20}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"]))
BODY = b'{"id": 1}'
SIZED = ("Content-Length", str(len(BODY)))

Head = list[tuple[str, str]]


def asked(head: bytes) -> Request:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(head)
        return next(RequestParser(CONN.cfg, ours, CONN.client))


def application(status: str, headers: Head, body: bytes) -> Callable[..., list[bytes]]:
    def answer(_environ: object, start_response: Callable[..., Any]) -> list[bytes]:
        start_response(status, headers)
        return [body]

    return answer


def as_gunicorn_writes(request: Request, status: str, headers: Head, body: bytes) -> bytes:
    parts: list[bytes] = []
    wire: Any = SimpleNamespace(sendall=parts.append)
    response, _ = create(request, wire, CONN.client, CONN.server, CONN.cfg)
    response.start_response(status, headers)
    response.write(body)
    response.close()
    return b"".join(parts)


def undated(answer: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]+ GMT\r\n", b"\r\nDate: now\r\n", answer, count=1)


@given(headers=st.lists(st.tuples(NAMES, VALUES)))
@pytest.mark.parametrize("protocol", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
def test_an_answer_is_written_as_gunicorn_writes_it(
    protocol: bytes, connection: bytes, headers: Head
) -> None:
    request = asked(b"GET / %b\r\nHost: a\r\nConnection: %b\r\n\r\n" % (protocol, connection))
    for told in (("200 OK", [*headers, SIZED], BODY), ("304 NOT MODIFIED", headers, b"")):
        ours = Reply(request, CONN).answered(application(*told))
        assert undated(ours) == undated(as_gunicorn_writes(request, *told))
        assert b"\r\nDate: now\r\n" in undated(ours)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "\r\n\r\nc"])
def test_no_header_can_end_another_one(value: str) -> None:
    request = asked(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises(ValueError, match="line break"):
        Reply(request, CONN).answered(application("200 OK", [("X", value), SIZED], BODY))


def test_who_has_to_be_told_to_continue_is_told_by_a_thread() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    with pytest.raises(AttributeError):
        Reply(asked(head), CONN)

"""Answers to what gunicorn cannot read as HTTP, and so never hands to the application."""

import json
import socket

from gunicorn import util

from stockroom.core.database import new_id
from stockroom.core.http.http_problems import http_problem
from stockroom.core.http.problems import MEDIA_TYPE


def install() -> None:
    """Let gunicorn refuse with a problem document instead of a page of its own."""
    util.write_error = _write_problem


def _write_problem(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:  # noqa: ARG001
    """In place of ``gunicorn.util.write_error``, with its arguments."""
    known = http_problem(status_int)
    request_id = str(new_id())
    problem = {
        "type": f"/problems/{known.slug}",
        "title": known.title,
        "status": status_int,
        "detail": mesg or known.explanation,
        "request_id": request_id,
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status_int} {known.status.phrase}\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-ID: {request_id}\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)

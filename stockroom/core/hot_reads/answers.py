"""Hot reads where Flask has no part in them: what was asked, and the status, headers and bytes
that answer it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from time import time
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.http import parse_etags

from stockroom.config import Settings
from stockroom.core.hot_reads.at_once import Headers
from stockroom.core.hot_reads.reads import HotRead, address_of
from stockroom.core.http import request_scope
from stockroom.core.http.edge import HTTPS_PROMISE, SECURITY_HEADERS
from stockroom.core.limits.hot import Allowance
from stockroom.core.memory import Answer

_OK, _NOT_MODIFIED = 200, 304
_LINES = {_OK: "200 OK", _NOT_MODIFIED: "304 NOT MODIFIED"}


@dataclass(frozen=True, slots=True)
class FastRequest:
    """One for an address of a hot read.

    :ivar began: in seconds of ``time.perf_counter``.
    """

    environ: WSGIEnvironment
    read: HotRead
    own_id: str
    began: float

    @property
    def where(self) -> str:
        """What it asks for."""
        return address_of(self.environ)

    @property
    def address(self) -> str | None:
        """Whence it comes."""
        return self.environ.get("REMOTE_ADDR")


@dataclass(frozen=True, slots=True)
class FastAnswer:
    status: int
    headers: Headers
    body: bytes

    def sent(self, start_response: StartResponse) -> Iterable[bytes]:
        """As WSGI wants it."""
        start_response(_LINES[self.status], self.headers)
        return [self.body]


class FastAnswers:
    """Writes them as Flask would."""

    def __init__(self, settings: Settings) -> None:
        self._needs_https = settings.force_https
        self._headers: Headers = [
            ("Content-Type", "application/json"),
            *({**SECURITY_HEADERS, "Cache-Control": "no-cache"}.items()),
            *([("Vary", "Origin")] if settings.cors_origins else []),
        ]

    def write(self, request: FastRequest, allowance: Allowance, answer: Answer) -> FastAnswer:
        """As Flask would, in the log as well."""
        written = self._written(request.environ, request.own_id, allowance, answer)
        request_scope.note(
            request.began,
            written.status,
            own_id=request.own_id,
            method="GET",
            endpoint=request.read.endpoint,
            path=request.read.path,
            address=request.address,
        )
        return written

    def _written(
        self, environ: WSGIEnvironment, request_id: str, allowance: Allowance, answer: Answer
    ) -> FastAnswer:
        headers = [
            *self._headers,
            ("ETag", f'"{answer.etag}"'),
            ("X-Request-ID", request_id),
            ("RateLimit-Limit", str(allowance.limit)),
            ("RateLimit-Remaining", str(allowance.remaining)),
            ("RateLimit-Reset", str(max(0, round(allowance.reset_at - time())))),
        ]
        if answer.link:
            headers.append(("Link", answer.link))
        if environ["wsgi.url_scheme"] == "https" and self._needs_https:
            headers.append(("Strict-Transport-Security", HTTPS_PROMISE))
        if _has(answer.etag, environ.get("HTTP_IF_NONE_MATCH")):
            return FastAnswer(_NOT_MODIFIED, headers[1:], b"")
        headers.append(("Content-Length", str(len(answer.body))))
        return FastAnswer(_OK, headers, answer.body)


def _has(etag: str, sent: str | None) -> bool:
    """Whether ``If-None-Match`` names the tag, as strong or as weak (RFC 9110, 13.1.2)."""
    if sent is None:
        return False
    return sent == f'"{etag}"' or parse_etags(sent).contains_weak(etag)

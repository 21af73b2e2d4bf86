"""Hot reads answered before Flask's own machinery starts.

Only what is plain: a GET of an address that ``core.hot_reads`` knows, by nobody or with a token
that was verified before, whose caller shares answers with everybody. Whatever is not, and
whatever goes wrong, is for Flask. Both ways give the same status, headers and bytes.

The loop of a worker asks here as well, for what it may answer itself (``stockroom.at_once``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter, time
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from werkzeug.http import parse_etags

from stockroom.at_once import AT_ONCE, WouldWait
from stockroom.config import Settings
from stockroom.core import cache, request_scope
from stockroom.core.edge import HTTPS_PROMISE, SECURITY_HEADERS
from stockroom.core.errors import DomainError, Unavailable
from stockroom.core.hot_limits import Allowance, HotLimits
from stockroom.core.hot_reads import FAILED, HotRead, address_from, address_of, hot_reads
from stockroom.core.identity import MALFORMED_TOKEN
from stockroom.core.memory import Answer
from stockroom.core.networks import network_of
from stockroom.core.permissions import Permission
from stockroom.core.token_header import token_finder

log = structlog.get_logger(__name__)

# What may say who is calling, or change the answer, in ways that are Flask's to make out.
_ODD = ("HTTP_COOKIE", "HTTP_X_API_KEY", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_BEARER = re.compile(r"Bearer ([A-Za-z0-9._-]+)")

_OK, _NOT_MODIFIED = "200 OK", "304 NOT MODIFIED"

Headers = list[tuple[str, str]]


def init_app(app: Flask, settings: Settings) -> None:
    path = FastPath(app, settings)
    app.wsgi_app = path  # type: ignore[method-assign]
    app.extensions[AT_ONCE] = path.knows


@dataclass(frozen=True, slots=True)
class _Response:
    status: str
    headers: Headers
    body: bytes


class FastPath:
    """Stands before Flask, and behind what tells whom a proxy speaks for."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._slow: WSGIApplication = app.wsgi_app
        self._limits = HotLimits(settings.rate_limit, is_shared=bool(settings.redis_url))
        self._needs_https = settings.force_https
        self._headers: Headers = [
            ("Content-Type", "application/json"),
            *({**SECURITY_HEADERS, "Cache-Control": "no-cache"}.items()),
            *([("Vary", "Origin")] if settings.cors_origins else []),
        ]

    def knows(self, path: str, query: str) -> bool:
        """Whether the answer to an address, as it was sent, is kept here and fresh."""
        return cache.memory_of(self._app).has(address_from(path, query))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """:raises WouldWait: instead of waiting, where that is not wanted."""
        try:
            response = self._response(environ) if self._is_plain(environ) else None
        except Exception:
            # Flask meets the same, and answers with a problem.
            log.exception("fast path failed")
            response = None
        if response is None and AT_ONCE in environ:
            raise WouldWait
        if response is None:
            return self._slow(environ, start_response)
        start_response(response.status, response.headers)
        return [response.body]

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "GET"
            and not any(name in environ for name in _ODD)
            and environ.get("CONTENT_LENGTH") in {None, "", "0"}
            and _HOST.fullmatch(environ.get("HTTP_HOST", "")) is not None
            and (not self._needs_https or environ["wsgi.url_scheme"] == "https")
        )

    def _response(self, environ: WSGIEnvironment) -> _Response | None:
        began, address = perf_counter(), environ.get("REMOTE_ADDR")
        with self._app.app_context():
            read = hot_reads().find(address_of(environ), environ)
            if read is None:
                return None
            own_id = request_scope.begin(environ.get("HTTP_X_REQUEST_ID", ""), address)
            try:
                response = self._read(environ, read, own_id)
                if response is not None:
                    request_scope.note(
                        began,
                        int(response.status[:3]),
                        method="GET",
                        endpoint=read.endpoint,
                        path=read.path,
                        address=address,
                    )
            finally:
                request_scope.end()
        return response

    def _read(self, environ: WSGIEnvironment, read: HotRead, own_id: str) -> _Response | None:
        """None for whatever Flask has to answer, or to refuse, or what has to be waited for."""
        may_wait, where = AT_ONCE not in environ, address_of(environ)
        # Looked for first where nothing is waited for: who is sent to a thread is counted there.
        kept = None if may_wait else cache.at_hand(where)
        if not (may_wait or kept):
            return None
        try:
            caller = _caller(environ, may_wait=may_wait)
            count = self._limits.count
            allowance = count(caller, read.endpoint, may_wait=may_wait) if caller else None
            if allowance is None:
                return None
            answer = kept or cache.answer(where, read.answer)
        except Unavailable as error:
            environ[FAILED] = error
            return None
        except (DomainError, *MALFORMED_TOKEN):
            return None
        return self._answered(environ, answer, allowance, own_id)

    def _answered(
        self, environ: WSGIEnvironment, answer: Answer, allowance: Allowance, own_id: str
    ) -> _Response:
        headers = [
            *self._headers,
            ("ETag", f'"{answer.etag}"'),
            ("X-Request-ID", own_id),
            ("RateLimit-Limit", str(allowance.limit)),
            ("RateLimit-Remaining", str(allowance.remaining)),
            ("RateLimit-Reset", str(max(0, round(allowance.reset_at - time())))),
        ]
        if answer.link:
            headers.append(("Link", answer.link))
        if environ["wsgi.url_scheme"] == "https" and self._needs_https:
            headers.append(("Strict-Transport-Security", HTTPS_PROMISE))
        if _has(answer.etag, environ.get("HTTP_IF_NONE_MATCH")):
            return _Response(_NOT_MODIFIED, headers[1:], b"")
        headers.append(("Content-Length", str(len(answer.body))))
        return _Response(_OK, headers, answer.body)


def _caller(environ: WSGIEnvironment, *, may_wait: bool) -> str | None:
    """Whom the request counts for; None if Flask has to make out who it is.

    Staff are none of those who share answers.
    """
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return network_of(environ.get("REMOTE_ADDR") or "127.0.0.1")
    found = _BEARER.fullmatch(header)
    caller = token_finder().find_recent(found[1], may_ask=may_wait) if found else None
    if caller is None or caller.may(Permission.CATALOGUE_WRITE):
        return None
    return str(caller.user_id)


def _has(etag: str, sent: str | None) -> bool:
    """Whether ``If-None-Match`` names the tag, as strong or as weak (RFC 9110, 13.1.2)."""
    if sent is None:
        return False
    return sent == f'"{etag}"' or parse_etags(sent).contains_weak(etag)

"""Hot reads answered before Flask's own machinery starts.

Only what is plain: a GET of an address that ``reads`` knows, by nobody or with a token that was
verified before, whose caller shares answers with everybody. Whatever is not, and whatever goes
wrong, is for Flask. Both ways give the same status, headers and bytes.

The loop of a worker asks here as well, for what it may answer itself (``loop_reads``).
"""

import re
from collections.abc import Iterable
from contextlib import nullcontext
from time import perf_counter
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask

from stockroom.config import Settings
from stockroom.core import cache
from stockroom.core.callers.identity import MALFORMED_TOKEN
from stockroom.core.callers.token_header import token_finder
from stockroom.core.errors import DomainError
from stockroom.core.hot_reads.answers import FastAnswer, FastAnswers, FastRequest
from stockroom.core.hot_reads.at_once import ALIVE, AT_ONCE, MustAsk, WouldWait
from stockroom.core.hot_reads.counted_for import counted_for
from stockroom.core.hot_reads.loop_reads import LoopReads
from stockroom.core.hot_reads.reads import FAILED, address_of, hot_reads
from stockroom.core.http import request_scope
from stockroom.core.limits.hot import HotLimits

log = structlog.get_logger(__name__)

# What may say who is calling, or change the answer, in ways that are Flask's to make out.
_ODD = ("HTTP_COOKIE", "HTTP_X_API_KEY", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_BEGAN = "stockroom.began"
"""In a request's environ: when it was first looked at, in seconds of ``time.perf_counter``."""


def init_app(app: Flask, settings: Settings) -> None:
    limits = HotLimits(settings.rate_limit, is_shared=bool(settings.redis_url))
    answers = FastAnswers(settings)
    in_loop = LoopReads(app, limits, answers)
    path = FastPath(app, limits, answers, in_loop, needs_https=settings.force_https)
    app.wsgi_app = path  # type: ignore[method-assign]
    app.extensions[AT_ONCE] = in_loop


class FastPath:
    """Stands before Flask, and behind what tells whom a proxy speaks for."""

    def __init__(
        self,
        app: Flask,
        limits: HotLimits,
        answers: FastAnswers,
        in_loop: LoopReads,
        *,
        needs_https: bool,
    ) -> None:
        self._app = app
        self._slow: WSGIApplication = app.wsgi_app
        self._limits = limits
        self._answers = answers
        self._in_loop = in_loop
        self._needs_https = needs_https

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """:raises WouldWait: instead of waiting, where that is not wanted."""
        is_plain = self._is_plain(environ)
        if is_plain and environ["PATH_INFO"] == ALIVE:
            return self._slow(environ, start_response)
        try:
            answer = self._answer(environ) if is_plain else None
        except MustAsk:
            raise
        except Exception:
            # Flask meets the same, and answers with a problem.
            log.exception("fast path failed")
            answer = None
        if answer is None and AT_ONCE in environ:
            raise WouldWait
        if answer is None:
            return self._slow(environ, start_response)
        return answer.sent(start_response)

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "GET"
            and not any(name in environ for name in _ODD)
            and environ.get("CONTENT_LENGTH") in {None, "", "0"}
            and _HOST.fullmatch(environ.get("HTTP_HOST", "")) is not None
            and (
                not self._needs_https
                or environ["wsgi.url_scheme"] == "https"
                or environ["PATH_INFO"] == ALIVE
            )
        )

    def _answer(self, environ: WSGIEnvironment) -> FastAnswer | None:
        began: float = environ.setdefault(_BEGAN, perf_counter())
        is_entered = self._in_loop.is_attached and AT_ONCE in environ
        with nullcontext() if is_entered else self._app.app_context():
            read = hot_reads().find(address_of(environ), environ)
            if read is None:
                return None
            sent_id, address = environ.get("HTTP_X_REQUEST_ID", ""), environ.get("REMOTE_ADDR")
            own_id = request_scope.begin(sent_id, address)
            try:
                return self._read(FastRequest(environ, read, own_id, began))
            finally:
                request_scope.end()

    def _read(self, request: FastRequest) -> FastAnswer | None:
        """None for whatever Flask has to answer, or to refuse, or what has to be waited for."""
        try:
            if AT_ONCE in request.environ:
                return self._in_loop.answer(request, again=self)
            return self._in_thread(request)
        except DomainError as error:
            request.environ[FAILED] = error
        except MALFORMED_TOKEN:
            pass
        return None

    def _in_thread(self, request: FastRequest) -> FastAnswer | None:
        caller = counted_for(request.environ, token_finder().find_recent)
        allowance = self._limits.count(caller, request.read.endpoint) if caller else None
        if allowance is None:
            return None
        answer = cache.answer(request.where, request.read.answer)
        return self._answers.write(request, allowance, answer)

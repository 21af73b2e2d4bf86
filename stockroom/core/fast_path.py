"""Hot reads answered before Flask's own machinery starts.

Only what is plain: a GET of an address that ``core.hot_reads`` knows, by nobody or with a token
that was verified before, whose caller shares answers with everybody. Whatever is not, and
whatever goes wrong, is for Flask. Both ways give the same status, headers and bytes.

The loop of a worker asks here as well, for what it may answer itself (``stockroom.at_once``).
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask

from stockroom.at_once import AT_ONCE, Loop, MustAsk, Pending, WouldWait
from stockroom.config import Settings
from stockroom.core import cache, request_scope
from stockroom.core.asking import Asker
from stockroom.core.errors import DomainError
from stockroom.core.fast_answers import FastAnswer, FastAnswers
from stockroom.core.hot_limits import Allowance, HotLimits
from stockroom.core.hot_reads import (
    FAILED,
    HotRead,
    address_from,
    address_of,
    hot_reads,
    hot_reads_of,
)
from stockroom.core.identity import MALFORMED_TOKEN
from stockroom.core.memory import Answer
from stockroom.core.networks import network_of
from stockroom.core.permissions import Permission
from stockroom.core.representation import Question
from stockroom.core.token_header import token_finder

log = structlog.get_logger(__name__)

# What may say who is calling, or change the answer, in ways that are Flask's to make out.
_ODD = ("HTTP_COOKIE", "HTTP_X_API_KEY", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_BEARER = re.compile(r"Bearer ([A-Za-z0-9._-]+)")


def init_app(app: Flask, settings: Settings) -> None:
    path = FastPath(app, settings)
    app.wsgi_app = path  # type: ignore[method-assign]
    app.extensions[AT_ONCE] = path


@dataclass(frozen=True, slots=True)
class _Request:
    """One for an address of a hot read.

    :ivar began: in seconds of ``time.perf_counter``.
    """

    environ: WSGIEnvironment
    read: HotRead
    own_id: str
    began: float

    @property
    def address(self) -> str | None:
        """Whence it comes."""
        return self.environ.get("REMOTE_ADDR")


class FastPath:
    """Stands before Flask, and behind what tells whom a proxy speaks for."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._slow: WSGIApplication = app.wsgi_app
        self._limits = HotLimits(settings.rate_limit, is_shared=bool(settings.redis_url))
        self._asks = settings.loop_connections > 0
        self._asker: Asker | None = None
        self._is_in_loop = False
        self._needs_https = settings.force_https
        self._answers = FastAnswers(settings)

    @contextmanager
    def attached(self, loop: Loop) -> Iterator[None]:
        """Answer within the loop, and ask there, if it has connections of its own."""
        # Once for all: to enter for each request would take a tenth of its time.
        with self._app.app_context():
            self._is_in_loop = True
            self._asker = Asker(self._app, loop) if self._asks else None
            yield

    def is_waiting(self) -> bool:
        return self._asker is not None and self._asker.is_waiting()

    def look_after(self, *, is_stopping: bool) -> None:
        if self._asker:
            self._asker.look_after(is_stopping=is_stopping)

    def knows(self, path: str, query: str) -> bool:
        """Whether the answer is kept here and fresh, or asked for without a thread."""
        if cache.memory_of(self._app).has(address_from(path, query)):
            return True
        return bool(
            self._asker and self._asker.is_ready() and hot_reads_of(self._app).may_have(path)
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """:raises WouldWait: instead of waiting, where that is not wanted."""
        try:
            answer = self._answer(environ) if self._is_plain(environ) else None
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
            and (not self._needs_https or environ["wsgi.url_scheme"] == "https")
        )

    def _answer(self, environ: WSGIEnvironment) -> FastAnswer | None:
        began = perf_counter()
        is_entered = self._is_in_loop and AT_ONCE in environ
        with nullcontext() if is_entered else self._app.app_context():
            read = hot_reads().find(address_of(environ), environ)
            if read is None:
                return None
            sent_id, address = environ.get("HTTP_X_REQUEST_ID", ""), environ.get("REMOTE_ADDR")
            own_id = request_scope.begin(sent_id, address)
            try:
                return self._read(_Request(environ, read, own_id, began))
            finally:
                request_scope.end()

    def _read(self, request: _Request) -> FastAnswer | None:
        """None for whatever Flask has to answer, or to refuse, or what has to be waited for."""
        read = self._at_once if AT_ONCE in request.environ else self._in_thread
        try:
            return read(request)
        except DomainError as error:
            request.environ[FAILED] = error
        except MALFORMED_TOKEN:
            pass
        return None

    def _in_thread(self, request: _Request) -> FastAnswer | None:
        allowance = self._allowance(request, may_wait=True)
        if allowance is None:
            return None
        answer = cache.answer(address_of(request.environ), request.read.answer)
        return self._written(request, allowance, answer)

    def _at_once(self, request: _Request) -> FastAnswer | None:
        """:raises MustAsk: if the database has been asked."""
        where = address_of(request.environ)
        # Before it is counted: who is sent to a thread is counted there.
        kept = cache.at_hand(where)
        question = None if kept else self._question(where, request.read)
        if not (kept or question):
            return None
        allowance = self._allowance(request, may_wait=False)
        if allowance and question:
            raise MustAsk(self._ask(where, question, request, allowance))
        return self._written(request, allowance, kept) if allowance and kept else None

    def _question(self, where: str, read: HotRead) -> Question | None:
        """What the loop can ask itself; what is asked for often comes from Redis, if it can."""
        if not (self._asker and self._asker.is_ready()) or cache.is_shared(where):
            return None
        question = read.question()
        return None if question.takes_time else question

    def _ask(
        self, where: str, question: Question, request: _Request, allowance: Allowance
    ) -> Pending:
        pending = Pending()

        def go_on(answer: Answer | None) -> None:
            if answer is None:
                self._limits.give_back(allowance)
            pending.come(
                partial(self._answer_later, request, allowance, answer) if answer else None
            )

        assert self._asker  # noqa: S101 - it has just been found ready
        self._asker.ask(where, request.read, question, go_on)
        return pending

    def _allowance(self, request: _Request, *, may_wait: bool) -> Allowance | None:
        caller = _caller(request.environ, may_wait=may_wait)
        if caller is None:
            return None
        return self._limits.count(caller, request.read.endpoint, may_wait=may_wait)

    def _answer_later(
        self,
        request: _Request,
        allowance: Allowance,
        answer: Answer,
        _environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        return self._written(request, allowance, answer).sent(start_response)

    def _written(self, request: _Request, allowance: Allowance, answer: Answer) -> FastAnswer:
        written = self._answers.write(request.environ, request.own_id, allowance, answer)
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

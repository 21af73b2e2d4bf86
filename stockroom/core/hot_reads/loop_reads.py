"""Hot reads that the loop of a worker answers itself (``at_once``).

What has to be asked for is asked of PostgreSQL without waiting (``asking``): the answer, and
who calls where that was not known of late. Limits are counted here, and the store is told of them
by a thread. Whatever else has to be waited for is a thread's.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from flask import Flask

from stockroom.core import cache
from stockroom.core.callers.token_header import token_finder
from stockroom.core.context import settings
from stockroom.core.hot_reads.answers import FastAnswer, FastAnswers, FastRequest
from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.asking_once import AskingOnce
from stockroom.core.hot_reads.at_once import ALIVE, Answers, Loop, MustAsk, Pending
from stockroom.core.hot_reads.counted_for import counted_for
from stockroom.core.hot_reads.reads import HotRead, address_from, hot_reads_of
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.limits.hot import Allowance, HotLimits
from stockroom.core.memory import Answer
from stockroom.core.permissions import Caller
from stockroom.core.sql.question import Question

log = structlog.get_logger(__name__)

_ASKED = "stockroom.asked_who_calls"
"""In a request's environ: that it was looked at before, when its caller was asked for."""


class LoopReads:
    """Answers what a loop may answer, within it."""

    def __init__(self, app: Flask, limits: HotLimits, answers: FastAnswers) -> None:
        self._app = app
        self._limits = limits
        self._answers = answers
        self._loop: Loop | None = None
        self._asker: Asker | None = None
        self._once: AskingOnce | None = None
        self._is_telling = False

    @contextmanager
    def attached(self, loop: Loop) -> Iterator[None]:
        """Answer within the loop, and ask there, if it has connections of its own."""
        # Once for all: to enter for each request would take a tenth of its time.
        with self._app.app_context():
            self._loop = loop
            if settings().loop_connections:
                self._asker = Asker(self._app, loop)
                self._once = AskingOnce(self._asker)
            try:
                yield
            finally:
                self._loop = self._asker = self._once = None

    @property
    def is_attached(self) -> bool:
        return self._loop is not None

    def is_waiting(self) -> bool:
        return self._limits.is_due() or (self._asker is not None and self._asker.is_waiting())

    def end_turn(self) -> None:
        if self._asker:
            self._asker.send()

    def look_after(self, *, is_stopping: bool) -> None:
        if self._asker:
            self._asker.look_after(is_stopping=is_stopping)
        if self._loop and self._limits.is_due() and not self._is_telling:
            self._is_telling = True
            self._loop.in_thread(self._limits.tell, self._have_told)

    def knows(self, path: str, query: str) -> bool:
        """Whether the answer is kept here and fresh, or asked for without a thread."""
        if path == ALIVE:
            return True
        if cache.memory_of(self._app).has(address_from(path, query)):
            return True
        return self._can_ask() and hot_reads_of(self._app).may_have(path)

    def answer(self, request: FastRequest, again: Answers) -> FastAnswer | None:
        """None for what a thread has to find.

        :param again: what the request is given to once its caller is known.
        :raises MustAsk: if the database has been asked.
        """
        # The rest is looked at once, when it is known who calls.
        caller = counted_for(request.environ, partial(self._caller, request.environ, again))
        if caller is None:
            return None
        where = request.where
        # Before it is counted: who is sent to a thread is counted there.
        kept = cache.at_hand(where)
        question = None if kept else self._question(where, request.read)
        if not (kept or question):
            return None
        allowance = self._limits.count(caller, request.read.endpoint, may_wait=False)
        if allowance is None:
            return None
        if question:
            raise MustAsk(self._ask(question, request, allowance))
        return self._answers.write(request, allowance, kept) if kept else None

    def _question(self, where: str, read: HotRead) -> Question[Representation] | None:
        """What the loop can ask itself; what is asked for often comes from Redis, if it can."""
        if not self._can_ask() or cache.is_shared(where):
            return None
        question = read.question()
        return None if question.takes_time else question

    def _can_ask(self) -> bool:
        return self._asker is not None and self._asker.is_ready()

    def _caller(self, environ: WSGIEnvironment, again: Answers, token: str) -> Caller | None:
        """Its caller, as it was within the last second; or else it is asked for, if it can be.

        :raises MustAsk: if the database has been asked.
        """
        caller = token_finder().find_recent(token, may_ask=False)
        if caller is None and _ASKED not in environ and self._can_ask():
            question = token_finder().question(token)
            if question is not None:
                environ[_ASKED] = True
                raise MustAsk(self._ask_who_calls(question, again))
        return caller

    def _ask_who_calls(self, question: Question[Caller | None], again: Answers) -> Pending:
        pending = Pending()
        assert self._asker  # noqa: S101 - it has just been found ready
        self._asker.ask(question, lambda _caller: pending.come(again))
        return pending

    def _ask(
        self, question: Question[Representation], request: FastRequest, allowance: Allowance
    ) -> Pending:
        pending = Pending()

        def go_on(answer: Answer | None) -> None:
            if answer is None:
                self._limits.give_back(allowance)
            pending.come(
                partial(self._answer_later, request, allowance, answer) if answer else None
            )

        assert self._once  # noqa: S101 - its asker has just been found ready
        self._once.ask(request.where, request.read, question, go_on)
        return pending

    def _answer_later(
        self,
        request: FastRequest,
        allowance: Allowance,
        answer: Answer,
        _environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        return self._answers.write(request, allowance, answer).sent(start_response)

    def _have_told(self, told: "Future[None]") -> None:
        self._is_telling = False
        if error := told.exception():
            log.error("limits not told", exc_info=error)

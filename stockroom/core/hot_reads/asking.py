"""What the loop of a worker asks PostgreSQL itself, over connections of its own.

To hand a request to a thread, which then takes turns with the loop at the interpreter, costs more
than such a question. Nothing is waited for here: the loop calls when there is news. All of it runs
in the thread of the loop, within the application's context, but for the opening of connections.

What has come up in a turn of the loop is asked at its end, or as soon as a connection is free, so
that those who ask the same brief query, each with other values, ask together
(``core.sql.together``).
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from selectors import EVENT_READ
from time import monotonic
from typing import Any, TypeVar

import structlog
from flask import Flask

from stockroom.core.context import settings
from stockroom.core.errors import DomainError
from stockroom.core.hot_reads.at_once import Loop
from stockroom.core.sql.links import Link, NotAsked, open_link
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.core.sql.statements import Row

log = structlog.get_logger(__name__)

MOST_WAITING = 64
MOST_TOGETHER = 8
"""How many questions one message asks: each waits until all have their answers."""
PATIENCE_SECONDS = 0.25
"""How long a question waits until a connection is free; then threads find its answer."""
LONGEST_QUERY_SECONDS = 60.0
"""How long a query may take where the settings name no limit."""
LOST_SECONDS = 5.0
"""How much longer than that an answer is waited for."""
REOPENED_SECONDS = 5.0
"""After that it is tried again to open a connection."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Asked:
    """A question under way.

    :ivar then: what to do once there is an answer; None where a thread has to find it after all.
    :ivar since: by the monotonic clock, when it came; of the first in a message, when it was sent.
    :ivar is_alone: whether it could not be asked together with others.
    """

    question: Question[Any]
    query: Prepared
    then: Callable[[Any | None], None]
    since: float = field(default_factory=monotonic)
    is_alone: bool = False


class Asker:
    """Asks what somebody wants to know, for one loop."""

    def __init__(self, app: Flask, loop: Loop) -> None:
        self._app = app
        self._loop = loop
        self._idle: list[Link] = []
        self._busy: dict[Link, list[_Asked]] = {}
        self._waiting: deque[_Asked] = deque()
        self._opening = 0
        self._opened_at = 0.0
        self._most = settings().loop_connections
        longest = settings().database_statement_timeout_seconds or LONGEST_QUERY_SECONDS
        self._lost_after = longest + LOST_SECONDS
        self._open_some()

    def is_ready(self) -> bool:
        """Whether a question would not have to wait for long."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        if self._idle:
            return True
        since = max((asked[0].since for asked in self._busy.values()), default=-math.inf)
        return monotonic() - since < PATIENCE_SECONDS

    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def ask(self, question: Question[T], then: Callable[[T | None], None]) -> None:
        """Have the loop call ``then``, in a later turn, when there is an answer.

        With None where a thread has to ask after all: it tells what is the matter.
        """
        self._waiting.append(_Asked(question, question.query(), then))

    def look_after(self, *, is_stopping: bool = False) -> None:
        """Leave to threads what waits for too long, and replace connections that are lost."""
        now = monotonic()
        while self._waiting and now - self._waiting[0].since > PATIENCE_SECONDS:
            self._waiting.popleft().then(None)
        for link in [
            it for it, asked in self._busy.items() if now - asked[0].since > self._lost_after
        ]:
            self._drop(link, TimeoutError("It does not answer."))
        if now - self._opened_at > REOPENED_SECONDS and not is_stopping:
            self._open_some()
        # Who was left to a thread just now may have asked for something else instead.
        self.send()

    def send(self) -> None:
        """Ask what waits, as far as connections are free."""
        while self._idle and self._waiting:
            link, asked = self._idle.pop(), self._next()
            self._busy[link] = asked
            asked[0].since = monotonic()
            try:
                link.ask(asked[0].query, [it.question.values for it in asked])
            except NotAsked:
                self._part(self._free(link))
            except Exception as error:  # noqa: BLE001 - a thread meets it as well, and tells of it
                self._drop(link, error)

    def _next(self) -> list[_Asked]:
        """The question that waits for longest, and others that can be asked together with it."""
        first = self._waiting[0]
        if first.is_alone or not first.query.together:
            return [self._waiting.popleft()]
        same = (it for it in self._waiting if it.query is first.query and not it.is_alone)
        asked = list(islice(same, MOST_TOGETHER))
        for it in asked:
            self._waiting.remove(it)
        return asked

    def _part(self, asked: list[_Asked]) -> None:
        """Ask one by one what cannot be asked together; a thread, what cannot be asked at all."""
        if len(asked) == 1:
            _leave(asked)
            return
        for it in reversed(asked):
            it.is_alone = True
            self._waiting.appendleft(it)

    def _hear(self, link: Link, _file: object) -> None:
        """There is news on a connection, which may be lost since the loop was told of it."""
        if link not in self._busy and link not in self._idle:
            return
        try:
            answers = link.answers()
        except Exception as error:  # noqa: BLE001 - a thread meets it as well, and tells of it
            self._drop(link, error)
            return
        if answers is not None and (asked := self._free(link)):
            # PostgreSQL has something to do while the answers are written.
            self.send()
            for it, rows in zip(asked, answers, strict=True):
                it.then(_answer(it.question, rows))

    def _free(self, link: Link) -> list[_Asked]:
        """What was asked on it."""
        if asked := self._busy.pop(link, []):
            self._idle.append(link)
        return asked

    def _drop(self, link: Link, error: Exception) -> None:
        """What was asked on it is left to threads, which tell clients what is the matter."""
        log.info("a connection of the loop is replaced", reason=str(error).strip())
        self._loop.poller.unregister(link)
        asked = self._free(link)
        self._idle.remove(link)
        link.close()
        _leave(asked)

    def _open_some(self) -> None:
        self._opened_at = monotonic()
        there = len(self._idle) + len(self._busy) + self._opening
        for _ in range(self._most - there):
            self._opening += 1
            self._loop.in_thread(self._open, self._take)

    def _open(self) -> Link | None:
        with self._app.app_context():
            return open_link()

    def _take(self, opened: "Future[Link | None]") -> None:
        self._opening -= 1
        if error := opened.exception():
            log.info("the loop has no connection", reason=str(error).strip())
        elif (link := opened.result()) is None:
            # Behind a pooler there is none to be had.
            self._most = 0
        else:
            self._loop.poller.register(link, EVENT_READ, partial(self._hear, link))
            self._idle.append(link)


def _leave(asked: Iterable[_Asked]) -> None:
    for it in asked:
        it.then(None)


def _answer(question: Question[T], rows: list[Row]) -> T | None:
    try:
        return question.shown(rows)
    except DomainError:
        return None
    except Exception:
        # A thread meets the same, and answers with a problem.
        log.exception("asking failed")
        return None

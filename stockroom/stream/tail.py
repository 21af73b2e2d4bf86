"""The end of the news, which each process reads once for all of its followers.

A follower holds a position and no queue: what it asks for is taken from the ring, or from the
database where the ring does not reach that far back. So history and live are the same, and a
slow client costs no memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from sys import maxsize
from threading import BoundedSemaphore, Event, Lock, Thread

from flask import Flask, current_app

from stockroom.core.background.engine import run_safely
from stockroom.core.background.jobs import Job
from stockroom.core.context import settings
from stockroom.core.transaction import reading
from stockroom.outbox import repository
from stockroom.outbox.filters import EventFilters
from stockroom.stream import fanout
from stockroom.stream.errors import TooManyStreams
from stockroom.stream.ring import Line, Ring

_KEY = "stockroom.tail"

LOOK_UP_SECONDS = 1.0
EVENTS_AT_ONCE = 500
CONNECTIONS = 2
"""How many database connections all followers of a process have for their own questions, so that
ordinary requests find theirs."""


class Tail:
    """Reads new events when it is woken, and tells the followers; begins with the first of them."""

    def __init__(self, app: Flask, places: int) -> None:
        self._app = app
        self._places = places
        self._ring = Ring()
        self._lock = Lock()
        self._followers: set[Event] = set()
        self._is_started = False
        self._woken = Event()
        self._closed = Event()
        self._reading = Job("stream.read_along", self._read, LOOK_UP_SECONDS)
        self.connections = BoundedSemaphore(CONNECTIONS)

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    @contextmanager
    def place(self) -> Iterator[Event]:
        """A place for one follower: the event is set when there may be news for it.

        :raises TooManyStreams: if all places are taken.
        """
        news = Event()
        with self._lock:
            if len(self._followers) >= self._places:
                raise TooManyStreams
            self._followers.add(news)
            self._start_once()
        try:
            yield news
        finally:
            with self._lock:
                self._followers.discard(news)

    def after(self, position: int) -> Sequence[Line] | None:
        """The newest events after a position; None if they have to be read as history."""
        return self._ring.after(position)

    def wake(self) -> None:
        """Look for new events now. It does no harm where nobody follows."""
        self._woken.set()

    def close(self) -> None:
        """Let every follower say goodbye, and stop reading."""
        self._closed.set()
        self._woken.set()
        self._tell()

    def _start_once(self) -> None:
        if self._is_started:
            return
        self._is_started = True
        Thread(target=self._follow, name="stream:tail", daemon=True).start()
        Thread(target=self._listen, name="stream:listen", daemon=True).start()

    def _follow(self) -> None:
        while not self.is_closed:
            # Cleared before the look: what comes during it is not overlooked.
            self._woken.clear()
            with self._app.app_context():
                run_safely(self._reading)
            self._woken.wait(LOOK_UP_SECONDS)

    def _listen(self) -> None:
        with self._app.app_context():
            fanout.listen(self._closed, self.wake)

    def _read(self) -> None:
        if self._ring.newest is None:
            self._begin()
        while lines := self._next_lines(self._ring.newest or 0):
            self._ring.add(lines)
            self._tell()

    def _begin(self) -> None:
        with reading() as session:
            self._ring.begin(repository.newest_position(session))
        # Those who begin further back read history, which they have waited for until now.
        self._tell()

    def _next_lines(self, after: int) -> Sequence[Line]:
        with reading() as session:
            found = repository.read(session, after, maxsize, EVENTS_AT_ONCE, EventFilters())
        lines = [Line.of(event) for event in found]
        if lines and lines[0].position != after + 1:
            # Away for so long that what came between has been removed: followers read it, or
            # learn that they cannot, as history.
            self._ring.begin(lines[0].position - 1)
        return lines

    def _tell(self) -> None:
        with self._lock:
            followers = list(self._followers)
        for news in followers:
            news.set()


def init_app(app: Flask) -> None:
    """Give the application its tail, which does nothing before somebody follows."""
    with app.app_context():
        app.extensions[_KEY] = Tail(app, settings().stream_connections)


def current_tail() -> Tail:
    """The tail of the application that is running this code."""
    return tail_of(current_app)


def tail_of(app: Flask) -> Tail:
    tail = app.extensions[_KEY]
    assert isinstance(tail, Tail)  # noqa: S101 - tells the type checker
    return tail


def announce(newest: int) -> None:
    """A listener of the relay: wakes the tail of this process, and by Redis those of all others."""
    current_tail().wake()
    fanout.publish(newest)

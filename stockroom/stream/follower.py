"""One client's way through the events: from its position on, history and live alike."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from time import monotonic

from stockroom.core.context import settings
from stockroom.core.errors import Unavailable
from stockroom.core.permissions import Caller, Permission
from stockroom.outbox import service as outbox
from stockroom.outbox.errors import EventsExpired
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.types import matches
from stockroom.stream.ring import Line
from stockroom.stream.service import find_again, first_position
from stockroom.stream.steps import Goodbye, Heartbeat, Step
from stockroom.stream.tail import EVENTS_AT_ONCE, Tail, current_tail

GLANCE_SECONDS = 2.0
"""How often a follower that waits looks whether its client is still there."""


class Follower:
    """A client that is let in.

    :ivar position: up to which the client has got all that it wants.
    :ivar news: set when there may be something to do.
    """

    def __init__(
        self, tail: Tail, news: Event, caller: Caller, position: int, types: Sequence[str]
    ) -> None:
        self._tail = tail
        self._caller = caller
        self._types = types
        self.news = news
        self.position = position

    def steps(self, is_connected: Callable[[], bool]) -> Iterator[Step]:
        """What to send next, as it comes; ends when the client has left, or with a goodbye."""
        try:
            yield from self._steps(is_connected)
        except EventsExpired:
            # Removed while the client was reading them: coming back, it is told so.
            yield Goodbye.RESTART

    def _steps(self, is_connected: Callable[[], bool]) -> Iterator[Step]:
        # Told at once where it is, a client that named no position can resume from the beginning.
        yield Heartbeat(self.position)
        seconds = settings().stream_heartbeat_seconds
        due = monotonic() + seconds
        for line in self._lines():
            if self._tail.is_closed:
                yield Goodbye.RESTART
                return
            if line:
                yield line
            if monotonic() >= due:
                if not self._is_still_welcome():
                    yield Goodbye.KEY_OVER if self._caller.key_id else Goodbye.SESSION_OVER
                    return
                yield Heartbeat(self.position)
                due = monotonic() + seconds
            if not line:
                self.news.wait(min(GLANCE_SECONDS, max(0.0, due - monotonic())))
            if not is_connected():
                return

    def _lines(self) -> Iterator[Line | None]:
        """Every line for the client, and None where it has to wait for the next one."""
        while True:
            # Cleared before the look: what comes during it is not overlooked.
            self.news.clear()
            lines, through = self._next()
            for line in lines:
                shown = line if self._reads_all else line.for_everybody
                if shown and self._wants(shown):
                    yield shown
                self.position = line.position
            self.position = max(self.position, through)
            if not lines:
                yield None

    def _next(self) -> tuple[Sequence[Line], int]:
        lines = self._tail.after(self.position)
        if lines is not None:
            return lines, self.position
        return self._history()

    def _history(self) -> tuple[Sequence[Line], int]:
        """Lines that the ring does not hold any more, and the position up to which they reach."""
        filters = EventFilters(types=self._types, public_only=not self._reads_all)
        try:
            with self._tail.connections:
                news = outbox.read(self.position, EVENTS_AT_ONCE, filters)
        except Unavailable:
            return (), self.position
        return [Line.of(event) for event in news.items], news.last_position

    def _wants(self, line: Line) -> bool:
        return not self._types or matches(line.type, self._types)

    @property
    def _reads_all(self) -> bool:
        return self._caller.may(Permission.EVENTS_READ)

    def _is_still_welcome(self) -> bool:
        """Whether session or key is good and may still follow; role and scopes count anew."""
        try:
            with self._tail.connections:
                caller = find_again(self._caller)
        except Unavailable:
            # Nobody can tell, and there is nothing new to be seen meanwhile either.
            return True
        if caller is None or not caller.may(Permission.EVENTS_FOLLOW):
            return False
        self._caller = caller
        return True


@contextmanager
def following(caller: Caller, after: int | None, types: Sequence[str]) -> Iterator[Follower]:
    """A follower with a place of its own.

    :param after: the position to begin after; None for what is new from now on.
    :raises EventsExpired: if nobody can go on from it.
    :raises TooManyStreams: if all places are taken.
    """
    position = first_position(after)
    tail = current_tail()
    with tail.place() as news:
        yield Follower(tail, news, caller, position, types)

"""How the loop of a worker and the application agree on answers that no thread has to find.

A loop that has to wait for PostgreSQL, Redis or a lock held meanwhile holds up every connection.
So it asks first whether the application ``knows`` the answer, and then says ``AT_ONCE`` in the
request's environ. Where PostgreSQL has to be asked, the application raises ``MustAsk``, and the
loop goes on with others until the answer is there; ``WouldWait`` where it cannot keep to all that.

Nothing of the application is imported here: gunicorn's first process needs it as well.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from selectors import BaseSelector
from typing import Any, Protocol

AT_ONCE = "stockroom.at_once"
"""In an environ: that nothing may be waited for. In ``Flask.extensions``: the ``AtOnce``."""

ALIVE = "/healthz"
"""What the loop has Flask answer within it: nothing has to be waited for, and who asks whether the
process lives must be told so where every thread is taken.
"""

Headers = list[tuple[str, str]]
Answers = Callable[[Any, Any], Iterable[bytes]]
"""What gives the answer to a request, as WSGI has it; with its length, where it has a body."""
Then = Callable[[Answers | None], None]
"""What to do once there is an answer; None where a thread has to find it after all."""


class Loop(Protocol):
    """A loop that watches over files, and has threads for what takes its time."""

    poller: BaseSelector
    """Its data are called with the file that is ready."""

    def in_thread(self, work: Callable[[], Any], then: Callable[["Future[Any]"], None]) -> None:
        """Have a thread do some work, and the loop what comes after it."""


class AtOnce(Protocol):
    """What an application tells the loop that it runs in."""

    def attached(self, loop: Loop) -> AbstractContextManager[None]:
        """What the loop runs in; meanwhile PostgreSQL may be asked within it."""

    def knows(self, path: str, query: str) -> bool:
        """Whether the answer to an address, as it was sent, is most likely to be had at once."""

    def is_waiting(self) -> bool:
        """Whether something is to be asked or told, and the loop has to look after it soon."""

    def end_turn(self) -> None:
        """What the loop calls when it has seen to all that had news."""

    def look_after(self, *, is_stopping: bool) -> None:
        """What the loop calls now and then."""


class WouldWait(Exception):
    """The answer has to be waited for: a thread must be asked for it."""


class Pending:
    """Something that the loop waits for while it goes on with others."""

    def __init__(self) -> None:
        self._then: Then | None = None
        self._come: list[Answers | None] = []

    def then(self, then: Then) -> None:
        """What to do when it has come: at once, if it has."""
        self._then = then
        self._go_on()

    def come(self, answers: Answers | None) -> None:
        self._come.append(answers)
        self._go_on()

    def _go_on(self) -> None:
        if self._then and self._come:
            self._then(self._come.pop())


class MustAsk(WouldWait):
    """PostgreSQL has been asked for the answer, or for who wants it."""

    def __init__(self, pending: Pending) -> None:
        super().__init__()
        self.pending = pending

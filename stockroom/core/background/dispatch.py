"""Having woken jobs run by whichever worker is free: from PostgreSQL's NOTIFY to the broker."""

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

import structlog
from flask import Flask

from stockroom.core.background.jobs import bound_jobs
from stockroom.core.background.wakeups import listen

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.01
"""The time between two messages for one job: of a hundred commits, one run finds all."""
PATIENCE_SECONDS = 1.0
"""How long a broker that is away is left alone."""


class Dispatcher:
    """Sends a message for each job that a commit wakes, from ``start`` to ``stop``.

    A message that cannot be sent is dropped: each job runs by the clock as well.
    """

    def __init__(self, app: Flask, send: Callable[[str], object]) -> None:
        """:param send: given a job's name, sends its message, or raises at once."""
        self._app = app
        self._send = send
        with app.app_context():
            self._known = frozenset(bound_jobs())
        self._woken: SimpleQueue[str | None] = SimpleQueue()
        self._stopping = Event()
        self._threads = [
            Thread(target=self._listen, name="wakeups:listen", daemon=True),
            Thread(target=self._dispatch, name="wakeups:send", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def wake(self, names: set[str]) -> None:
        for name in names & self._known:
            self._woken.put(name)

    def _listen(self) -> None:
        with self._app.app_context():
            listen(self._stopping, self.wake)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            try:
                for name in self._taken():
                    self._send(name)
            except Exception as error:  # noqa: BLE001 - whatever it is, later ones may go
                log.warning("broker away", reason=str(error))
                self._stopping.wait(PATIENCE_SECONDS)
            self._stopping.wait(PAUSE_SECONDS)

    def _taken(self) -> set[str]:
        """The jobs woken until now, which are waited for."""
        names = {self._woken.get()}
        with suppress(Empty):
            while True:
                names.add(self._woken.get_nowait())
        return {name for name in names if name}

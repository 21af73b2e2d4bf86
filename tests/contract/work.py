"""Real workers and a real beat of Celery, as production has them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, select

from stockroom.config import Settings
from stockroom.core.database import new_id
from stockroom.core.transaction import reading, transaction
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.outbox.models import Event
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from tests.contract.web import PATIENCE_SECONDS, ROOT, environment
from tests.core.background.listening import listeners
from tests.threads import until

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A database and a Redis, and an application of this process that makes work there."""

    app: Flask
    settings: Settings
    redis: EmbeddedRedis

    def record(self) -> UUID:
        """Commit an event; returns its subject."""
        subject = new_id()
        with self.app.app_context(), transaction() as session:
            record(session, EventType.PRODUCT_UPDATED, subject, {})
        return subject

    def record_unheard(self) -> None:
        """Commit an event that wakes nobody."""
        event = {"type": EventType.PRODUCT_UPDATED, "subject": new_id(), "data": {}}
        with self.app.app_context(), transaction() as session:
            session.execute(insert(Event), [event])

    def positions(self) -> list[int | None]:
        """Those of all events, in the order of recording."""
        with self.app.app_context(), reading() as session:
            return list(session.scalars(select(Event.position).order_by(Event.sequence)))

    @property
    def is_all_relayed(self) -> bool:
        return None not in self.positions()

    @contextmanager
    def working(self) -> Iterator["Process"]:
        """A worker, which is ready, until the block ends."""
        before = len(listeners(self.app))
        with self._running("worker") as worker:
            until(lambda: len(listeners(self.app)) > before or not worker.runs)
            assert worker.runs, worker.printed
            yield worker

    @contextmanager
    def ticking(self) -> Iterator["Process"]:
        with self._running("beat") as beat:
            yield beat

    @contextmanager
    def _running(self, what: str) -> Iterator["Process"]:
        log = self.settings.instance_path / f"{what}-{next(_numbers)}.log"
        command = [sys.executable, "-m", "celery", "--app", "stockroom.worker", what]
        # As in the image: what is printed can be read at once.
        kept = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=kept | environment(self.settings),
                stdout=output,
                stderr=output,
            ) as process,
        ):
            try:
                yield Process(process, log)
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Process:
    _process: subprocess.Popen[bytes]
    _log: Path

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def wait(self) -> int:
        """The exit status of a process that ends by itself."""
        return self._process.wait(PATIENCE_SECONDS)

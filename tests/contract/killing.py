"""A gunicorn that is killed without a warning, and started again."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stockroom.config import Settings
from tests.contract.web import PATIENCE_SECONDS, ROOT, Web, children_of, environment
from tests.threads import until


class Victim:
    """Serves with the settings given; ``kill_…`` returns once it serves again."""

    def __init__(self, settings: Settings) -> None:
        self.web = Web(settings.port)
        self._log = settings.instance_path / "gunicorn.log"
        self._variables = {"PATH": os.environ["PATH"], **environment(settings)}

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._arbiter = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "wsgi:app"],
                cwd=ROOT,
                env=self._variables,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._await_answer()

    def kill_worker(self) -> None:
        """Kill a process that serves; the one that watches over it starts another."""
        # All may have been killed just now, or one have ended by itself.
        with suppress(ProcessLookupError, IndexError):
            os.kill(random.choice(self._workers()), signal.SIGKILL)  # noqa: S311 - no secret
        self._await_answer()

    def kill_workers(self) -> None:
        """The same for all of them at once."""
        for worker in self._workers():
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self._await_answer()

    def kill_all(self) -> None:
        os.killpg(self._arbiter.pid, signal.SIGKILL)
        self._arbiter.wait(PATIENCE_SECONDS)
        self.start()

    def stop(self) -> None:
        self._arbiter.terminate()
        self._arbiter.wait(PATIENCE_SECONDS)

    def _workers(self) -> list[int]:
        return children_of(self._arbiter.pid)

    def _await_answer(self) -> None:
        # Those who were not killed may have a crowd to serve, and the new one waits for its turn.
        until(lambda: self.web.answers or self._arbiter.poll() is not None, 3 * PATIENCE_SECONDS)
        assert self._arbiter.poll() is None, self._log.read_text()


@contextmanager
def killable(settings: Settings) -> Iterator[Victim]:
    """A gunicorn with these settings, until the block ends."""
    victim = Victim(settings)
    victim.start()
    try:
        yield victim
    finally:
        victim.stop()

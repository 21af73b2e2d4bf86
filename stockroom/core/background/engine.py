"""The crank of a process without Redis: a thread for each job, woken by commits and by time."""

from threading import Event, Thread
from time import monotonic

import structlog
from flask import Flask

from stockroom.core.background.jobs import Job, bound_jobs
from stockroom.core.background.wakeups import listen
from stockroom.core.errors import Unavailable

log = structlog.get_logger(__name__)

STOP_SECONDS = 25
"""How long all jobs together may take to finish: less than gunicorn waits for the process."""


class Engine:
    """Runs the application's jobs in threads of this process, from ``start`` to ``stop``.

    Each job has a thread of its own, so that a slow mail server does not delay the news.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        with app.app_context():
            self._jobs = bound_jobs()
        self._woken = {name: Event() for name in self._jobs}
        self._stopping = Event()
        self._threads = [
            Thread(target=self._listen, name="jobs:listen", daemon=True),
            *(
                Thread(target=self._turn, args=[job], name=f"jobs:{job.name}", daemon=True)
                for job in self._jobs.values()
            ),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each job finish the batch that it is at, and give back the rest."""
        self._stopping.set()
        self.wake(set(self._woken))
        deadline = monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        give_back(self._app)

    def wake(self, names: set[str]) -> None:
        for name in names & self._woken.keys():
            self._woken[name].set()

    def _listen(self) -> None:
        with self._app.app_context():
            listen(self._stopping, self.wake)

    def _turn(self, job: Job) -> None:
        woken = self._woken[job.name]
        while True:
            # Cleared before the run: what is committed during it is not overlooked, nor is the end.
            woken.clear()
            if self._stopping.is_set():
                return
            with self._app.app_context():
                run_safely(job)
            woken.wait(job.every_seconds)


def run_safely(job: Job) -> None:
    """Run a job; what goes wrong is logged, and tried again the next time."""
    try:
        job.run()
    except Unavailable as error:
        log.warning("job waits", job=job.name, reason=error.detail)
    except Exception:
        log.exception("job failed", job=job.name)


def give_back(app: Flask) -> None:
    """Have every job give back what it has under way, as the process ends."""
    with app.app_context():
        for job in bound_jobs().values():
            try:
                job.stop()
            except Exception:
                # The others have to be asked all the same.
                log.exception("job did not stop", job=job.name)

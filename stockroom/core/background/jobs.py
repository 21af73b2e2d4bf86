"""Work is rows; a job drains those of one kind that are due, and an engine turns the crank.

Any number of processes may run a job at once: rows are taken with ``FOR UPDATE SKIP LOCKED``, and
come back by themselves if the process that took them is killed. Without Redis the threads of
``engine`` run the jobs, with it the tasks of ``worker``; both call the same functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import current_app

_KEY = "stockroom.jobs"


@dataclass(frozen=True, slots=True)
class Job:
    """Due work of one kind.

    :ivar name: ``feature.verb``; what ``core.background.wakeups`` calls it by.
    :ivar run: drains what is due, in batches, and returns.
    :ivar every_seconds: how often it runs at least, woken or not.
    :ivar stop: gives back, or finishes, what ``run`` has left under way when the process ends.
    """

    name: str
    run: Callable[[], object]
    every_seconds: float
    stop: Callable[[], object] = lambda: None


def bind_jobs(extensions: dict[str, object], jobs: Sequence[Job]) -> None:
    extensions[_KEY] = {job.name: job for job in jobs}


def bound_jobs() -> dict[str, Job]:
    """The jobs of the application that is running this code, by name."""
    jobs: dict[str, Job] = current_app.extensions[_KEY]
    return jobs

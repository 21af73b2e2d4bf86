"""Jobs as tasks of Celery: what is sent when, and how a worker's threads run them."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread

import pytest
from celery import Celery
from flask import Flask

from stockroom.core.background.jobs import Job, bind_jobs, bound_jobs
from stockroom.core.background.tasks import Clock, make_celery
from tests.threads import PATIENCE_SECONDS, at_once

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def celery_of(make_app: Callable[..., Flask]) -> Callable[..., Celery]:
    """The Celery of an application with these jobs alone."""

    def made(*jobs: Job) -> Celery:
        app = make_app()
        bind_jobs(app.extensions, jobs)
        return make_celery(app, NOWHERE)

    return made


def test_every_job_is_a_task_and_has_its_time(app: Flask) -> None:
    celery = make_celery(app, NOWHERE)
    with app.app_context():
        jobs = bound_jobs()
    assert jobs.keys() <= celery.tasks.keys()
    times = {name: entry["schedule"] for name, entry in celery.conf.beat_schedule.items()}
    assert times == {name: job.every_seconds for name, job in jobs.items()}


def test_every_job_is_due_when_beat_starts(celery_of: Callable[..., Celery]) -> None:
    jobs = [Job("tests.often", print, 1), Job("tests.seldom", print, 86400)]
    schedule = Clock(celery_of(*jobs)).schedule
    assert {name: entry.is_due().is_due for name, entry in schedule.items()} == {
        "tests.often": True,
        "tests.seldom": True,
    }


def test_a_message_outlives_the_difference_of_two_clocks(celery_of: Callable[..., Celery]) -> None:
    celery = celery_of(Job("tests.often", print, 1), Job("tests.seldom", print, 3600))
    assert celery.tasks["tests.often"].expires == 60
    assert celery.tasks["tests.seldom"].expires == 3600


def test_no_pickle_is_read_and_no_result_kept(celery_of: Callable[..., Celery]) -> None:
    conf = celery_of().conf
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")
    assert conf.task_ignore_result
    assert conf.result_backend is None


def test_a_job_that_fails_is_no_failed_task(celery_of: Callable[..., Celery]) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    celery_of(Job("tests.bad", fail, 1)).tasks["tests.bad"]()


def test_a_job_runs_once_at_a_time_and_once_more_for_all_that_came_meanwhile(
    celery_of: Callable[..., Celery],
) -> None:
    runs: SimpleQueue[None] = SimpleQueue()
    may_end = Event()

    def run() -> None:
        runs.put(None)
        assert may_end.wait(PATIENCE_SECONDS)

    task = celery_of(Job("tests.work", run, 1)).tasks["tests.work"]
    first = Thread(target=task)
    first.start()
    runs.get(timeout=PATIENCE_SECONDS)
    # Each of these returns at once, though the first is still running.
    at_once(lambda _: task(), range(5))
    assert runs.empty()
    may_end.set()
    first.join(PATIENCE_SECONDS)
    assert runs.qsize() == 1


def test_a_clock_that_was_closed_stops_wherever_its_signal_got_lost(
    celery_of: Callable[..., Celery],
) -> None:
    clock = Clock(celery_of(Job("tests.often", print, 1)))
    clock.close()
    with pytest.raises(SystemExit):
        clock.tick()

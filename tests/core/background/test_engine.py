"""The crank of a process without Redis: what turns it, and how it comes to rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Thread

import pytest
from flask import Flask

from stockroom.core.background.engine import Engine
from stockroom.core.background.jobs import Job, bind_jobs
from stockroom.core.errors import Unavailable
from tests.core.background.listening import commit_wake, drop_listeners, listeners, started
from tests.threads import PATIENCE_SECONDS

NEVER = 3600.0
AT_ONCE = 0.001

Run = Callable[..., Engine]


class Work:
    """A job's work, which tells of each run; a run ends when it is let, and may fail first."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self._runs: SimpleQueue[None] = SimpleQueue()
        self.may_end = Event()
        self.may_end.set()
        self.ended = 0

    def __call__(self) -> None:
        self._runs.put(None)
        assert self.may_end.wait(PATIENCE_SECONDS)
        self.ended += 1
        if self._failures:
            raise self._failures.pop(0)

    def await_run(self) -> None:
        self._runs.get(timeout=PATIENCE_SECONDS)

    @property
    def has_run_again(self) -> bool:
        try:
            self._runs.get_nowait()
        except Empty:
            return False
        return True


@contextmanager
def running(app: Flask, *jobs: Job) -> Iterator[Engine]:
    """An engine with these jobs alone, which listens."""
    bind_jobs(app.extensions, jobs)
    with started(app, Engine(app)) as engine:
        yield engine


@pytest.fixture
def other_app(make_app: Callable[..., Flask]) -> Flask:
    """An application whose jobs a test may choose."""
    return make_app()


def test_every_job_runs_at_the_start(other_app: Flask) -> None:
    one, two = Work(), Work()
    with running(other_app, Job("tests.one", one, NEVER), Job("tests.two", two, NEVER)):
        one.await_run()
        two.await_run()


def test_a_commit_runs_the_job_that_it_wakes(other_app: Flask) -> None:
    one, two = Work(), Work()
    with running(other_app, Job("tests.one", one, NEVER), Job("tests.two", two, NEVER)):
        one.await_run()
        two.await_run()
        commit_wake(other_app, "tests.two")
        two.await_run()
        assert not one.has_run_again


def test_a_job_that_nobody_wakes_runs_by_the_clock(other_app: Flask) -> None:
    work = Work()
    with running(other_app, Job("tests.work", work, AT_ONCE)):
        for _ in range(3):
            work.await_run()


def test_a_job_runs_by_the_clock_while_nobody_can_wake_it(other_app: Flask) -> None:
    work = Work()
    with running(other_app, Job("tests.work", work, AT_ONCE)):
        drop_listeners(other_app)
        while work.has_run_again:
            pass
        work.await_run()


def test_what_is_committed_during_a_run_makes_another(other_app: Flask) -> None:
    work = Work()
    work.may_end.clear()
    with running(other_app, Job("tests.work", work, NEVER)) as engine:
        work.await_run()
        engine.wake({"tests.work"})
        work.may_end.set()
        work.await_run()


def test_a_wake_up_of_an_unknown_job_is_nobodys(other_app: Flask) -> None:
    work = Work()
    with running(other_app, Job("tests.work", work, NEVER)):
        work.await_run()
        commit_wake(other_app, "tests.unknown")
        commit_wake(other_app, "tests.work")
        work.await_run()


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("a bug")])
def test_a_job_that_fails_goes_on(other_app: Flask, failure: Exception) -> None:
    work = Work(failure, failure)
    with running(other_app, Job("tests.work", work, AT_ONCE)):
        for _ in range(3):
            work.await_run()


def test_a_slow_job_does_not_delay_another(other_app: Flask) -> None:
    slow, quick = Work(), Work()
    slow.may_end.clear()
    with running(other_app, Job("tests.slow", slow, NEVER), Job("tests.quick", quick, AT_ONCE)):
        slow.await_run()
        for _ in range(3):
            quick.await_run()
        assert slow.ended == 0
        slow.may_end.set()


def test_stopping_waits_for_the_batch_and_then_has_the_rest_given_back(other_app: Flask) -> None:
    work, seen = Work(), list[int]()
    work.may_end.clear()
    job = Job("tests.work", work, NEVER, stop=lambda: seen.append(work.ended))
    with running(other_app, job) as engine:
        work.await_run()
        stopping = Thread(target=engine.stop)
        stopping.start()
        assert seen == []
        work.may_end.set()
        stopping.join(PATIENCE_SECONDS)
        assert seen == [1]


def test_a_job_that_cannot_stop_keeps_no_other_from_it(other_app: Flask) -> None:
    stopped: list[str] = []

    def fail() -> None:
        raise RuntimeError("cannot stop")

    bad = Job("tests.bad", Work(), NEVER, stop=fail)
    good = Job("tests.good", Work(), NEVER, stop=lambda: stopped.append("good"))
    with running(other_app, bad, good):
        pass
    assert stopped == ["good"]


def test_a_stopped_engine_runs_nothing_more(other_app: Flask) -> None:
    work = Work()
    with running(other_app, Job("tests.work", work, AT_ONCE)):
        work.await_run()
    while work.has_run_again:
        pass
    commit_wake(other_app, "tests.work")
    assert not work.has_run_again
    assert not listeners(other_app)

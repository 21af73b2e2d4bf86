"""What is under load in its turn: a server that wrk asks, or argon2 alone."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Protocol

import psutil

from bench import wrk
from bench.accounts import PASSWORD
from bench.cases import Case
from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.users.passwords import hash_password, verify_password
from tests.contract.web import Web

CHECKS = 1_000
"""The first number of the samples that are asked for before each run."""


@dataclass(frozen=True, slots=True)
class Measured:
    """
    :ivar rate: requests a second.
    :ivar cpu_ms: that the server's workers spent on one request.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


class Subject(Protocol):
    def measure(self, case: Case, seconds: float, turn: int) -> Measured:
        """:raises wrk.Failed: if an answer is not as expected."""


@dataclass(frozen=True, slots=True)
class Server:
    """A gunicorn, asked by wrk.

    :ivar folder: for the files with requests.
    :ivar is_bare: whether it has one address for each case.
    """

    web: Web
    folder: Path
    is_bare: bool

    def measure(self, case: Case, seconds: float, turn: int) -> Measured:
        requests = [case.for_ceiling] if self.is_bare else case.requests
        file = self.folder / f"{case.name}-{self.web.port}"
        if not file.exists():
            wrk.write(file, requests)
        self._check(case, turn)
        before = self._cpu_seconds()
        figures = wrk.run(self.web.url, file, seconds=seconds, turn=turn)
        cpu_ms = (self._cpu_seconds() - before) * 1000 / figures.requests
        return Measured(figures.requests_a_second, figures.p50_ms, figures.p99_ms, cpu_ms)

    def _check(self, case: Case, turn: int) -> None:
        """Ask once: wrk takes every status below 400 for a success."""
        answer = self.web.send(case.for_ceiling if self.is_bare else case.sample(CHECKS + turn))
        if answer.status != case.status:
            raise wrk.Failed(f"status {answer.status}, {answer.body[:200]!r}")

    def _cpu_seconds(self) -> float:
        workers = psutil.Process(self.web.pid).children()
        return sum(sum(worker.cpu_times()[:2]) for worker in workers)


@dataclass(frozen=True, slots=True)
class Argon2:
    """Passwords checked on all cores, each by a process that does nothing else."""

    pool: Pool
    processes: int

    def measure(self, case: Case, seconds: float, turn: int) -> Measured:  # noqa: ARG002 - as in the protocol
        found = self.pool.map(_check_passwords, [seconds] * self.processes, chunksize=1)
        rate = sum(found)
        each_ms = 1000 * self.processes / rate
        return Measured(rate, each_ms, each_ms, each_ms)


@contextmanager
def argon2(settings: Settings) -> Iterator[Argon2]:
    cores = len(os.sched_getaffinity(0))
    # New processes: a fork would share the connections of this one.
    with get_context("spawn").Pool(cores, _enter_app, [settings]) as pool:
        yield Argon2(pool, cores)


def _enter_app(settings: Settings) -> None:
    create_app(settings).app_context().push()


def _check_passwords(seconds: float) -> float:
    """How many a second this process checks."""
    stored, done = hash_password(PASSWORD), 0
    begin = time.monotonic()
    while (taken := time.monotonic() - begin) < seconds:
        assert verify_password(stored, PASSWORD)
        done += 1
    return done / taken

"""Doing several things at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PATIENCE_SECONDS = 30


def at_once(act: Callable[[T], R], arguments: Sequence[T]) -> list[R]:
    """What ``act`` returns for each argument, all called together, each in a thread."""
    barrier = Barrier(len(arguments), timeout=PATIENCE_SECONDS)

    def wait_and_act(argument: T) -> R:
        barrier.wait()
        return act(argument)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(wait_and_act, arguments, timeout=PATIENCE_SECONDS))


def elsewhere(act: Callable[[], R]) -> R:
    """What ``act`` returns, called in a thread of its own, where no transaction is under way."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result(PATIENCE_SECONDS)


def until(condition: Callable[[], object], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for the condition to hold."""
    deadline = monotonic() + patience_seconds
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.01)

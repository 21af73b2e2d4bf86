"""The memory of gunicorn's workers while they serve."""

import time
from contextlib import suppress
from statistics import median

import psutil

MIB = 2**20
PART = 1 / 10
"""Of the whole time: what is compared at both ends of its second half."""


class Memory:
    """What each worker holds, as often as ``sample`` is called.

    :param pid: of the process that watches over the workers.
    """

    def __init__(self, pid: int | None) -> None:
        self._arbiter = psutil.Process(pid)
        self._begin = time.monotonic()
        self._samples: dict[int, list[tuple[float, float]]] = {}

    def sample(self) -> None:
        moment = time.monotonic() - self._begin
        for worker in self._arbiter.children():
            # One that is being replaced may have ended by now.
            with suppress(psutil.NoSuchProcess):
                megabytes = worker.memory_info().rss / MIB
                self._samples.setdefault(worker.pid, []).append((moment, megabytes))

    def largest_mb(self) -> float:
        return max(megabytes for samples in self._samples.values() for _, megabytes in samples)

    def growth(self) -> float:
        """By what part the worker that grew most is larger at the end than in the middle.

        Only workers that were there all the second half count.
        """
        end = max(samples[-1][0] for samples in self._samples.values())
        growths = []
        for samples in self._samples.values():
            middle = [size for at, size in samples if end / 2 <= at < end * (1 / 2 + PART)]
            last = [size for at, size in samples if at >= end * (1 - PART)]
            if middle and last:
                growths.append(median(last) / median(middle) - 1)
        return max(growths)

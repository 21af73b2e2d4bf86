"""Work that leaves the processors to others as long as these want them."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import get_native_id

NICENESS = 5
"""More than before, as of nice(1): a third of what others get, where all are busy."""


def stand_back_for(work: Callable[[], object], *, meanwhile: Callable[[], object]) -> None:
    """Do some work with a low priority; what it raises is raised.

    :param meanwhile: is called each second.

    In a thread of its own: on Linux each has a priority of its own, and the process could not take
    back a low one. Elsewhere the work has the priority of the process.
    """
    with ThreadPoolExecutor(1, "aside", initializer=_step_back) as thread:
        done = thread.submit(work)
        while not wait([done], timeout=1).done:
            meanwhile()
        done.result()


def _step_back() -> None:
    if sys.platform == "linux":
        thread = get_native_id()
        lower = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, lower)

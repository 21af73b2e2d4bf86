"""Who of gunicorn's workers is being exchanged (SIGHUP), and whether the others are there yet.

gunicorn tells the old workers to stop while the new ones have yet to import the application: until
then nobody would accept. So the old ones ask here, and go on serving until the new ones are ready
(``thread_worker``). What is known stands in memory that gunicorn's first process shares with all
that it forks.

Nothing of the application is imported here: gunicorn's first process needs this as well.
"""

import os
import signal
from functools import partial
from mmap import PAGESIZE, mmap
from types import FrameType

from gunicorn.arbiter import Arbiter

# The age of a worker is its number, from one on. Each writes into a place of its own, so that
# nothing has to be locked: who is killed in the middle leaves no lock behind.
_shared = memoryview(mmap(-1, PAGESIZE)).cast("I")
_goal, _ready = _shared[:4], _shared[4:]
_FIRST, _COUNT, _IS_OFF, _IS_STOPPING = range(len(_goal))


def begin(arbiter: Arbiter) -> None:
    """All workers that there are now are to be exchanged. gunicorn starts the new ones next."""
    _goal[_FIRST], _goal[_COUNT], _goal[_IS_OFF] = arbiter.worker_age + 1, arbiter.num_workers, 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, partial(_stop, arbiter))


def concerns(age: int) -> bool:
    """Whether a worker of this age is an old one."""
    return age < _goal[_FIRST]


def is_for(age: int) -> bool:
    """Whether a worker of this age is one of those that take over from others, who still serve."""
    return 0 < _goal[_FIRST] <= age and not is_done()


def tell_ready(age: int) -> None:
    """A worker of this age accepts from now on."""
    _ready[age % len(_ready)] = age


def call_off(age: int) -> None:
    """A worker of this age could not load the application, for which gunicorn stops the server. If
    it was to take over, nobody waits for it any more.
    """
    if is_for(age) and age not in _ready:
        _goal[_IS_OFF] = 1
        tell_ready(age)


def replace(arbiter: Arbiter, age: int) -> None:
    """A worker of this age has ended otherwise. If it was to take over, another one is to.

    gunicorn itself counts the old ones as well, and starts none while they wait.
    """
    new = [worker for worker in arbiter.WORKERS.values() if not concerns(worker.age)]
    # A server that stops has closed its sockets first.
    goes_on = arbiter.LISTENERS and not is_stopping()
    if is_for(age) and goes_on and len(new) < arbiter.num_workers:
        _ready[age % len(_ready)] = 0
        arbiter.spawn_worker()


def is_done() -> bool:
    """Whether as many new workers are ready as there are to be."""
    return sum(age >= _goal[_FIRST] for age in _ready) >= _goal[_COUNT]


def is_off() -> bool:
    """Whether a new worker could not load the application, so that the server stops."""
    return bool(_goal[_IS_OFF])


def is_stopping() -> bool:
    """Whether the server stops."""
    return bool(_goal[_IS_STOPPING])


def _stop(arbiter: Arbiter, number: int, frame: FrameType | None) -> None:
    """Tell the old workers once more, who obey at once now.

    gunicorn itself would not before the exchange is over: until then it looks at no signal.
    """
    # A worker that was forked just now has this handler as well, until it has its own.
    if os.getpid() == arbiter.pid:
        # Before they are told: of two words at once, which are one signal, they hear one.
        _goal[_IS_STOPPING] = 1
        for pid, worker in [*arbiter.WORKERS.items()]:
            if concerns(worker.age):
                os.kill(pid, signal.SIGTERM)
    arbiter.signal(number, frame)

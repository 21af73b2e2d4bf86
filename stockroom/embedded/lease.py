"""Who uses a server: locks that the system gives back when a process ends, however it ends.

They are POSIX record locks: a forked child does not inherit them, so that a worker outliving its
parent holds nothing. Closing any descriptor of a file drops the locks that the process has on it;
the users of one process therefore share one descriptor, and are counted.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class _Held:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 1


_guard = threading.Lock()
_held: dict[Path, _Held] = {}


@contextmanager
def exclusive(place: Path) -> Iterator[None]:
    """Keep every other thread and process from starting or stopping the server in `place`."""
    with _guard:
        descriptor = _open(place / "start.lock")
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def take(place: Path) -> None:
    """Become a user of the server; only within `exclusive`."""
    held = _held.get(place)
    if held is not None:
        held.users += 1
        return
    descriptor = _open(place / "users.lock")
    fcntl.lockf(descriptor, fcntl.LOCK_SH)
    _held[place] = _Held(descriptor)


def give_back(place: Path) -> bool:
    """Stop being a user, and say whether none is left anywhere; only within `exclusive`."""
    held = _held[place]
    held.users -= 1
    if held.users:
        return False
    del _held[place]
    try:
        fcntl.lockf(held.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    finally:
        os.close(held.descriptor)
    return True


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        # Root may have come first to a folder of another account, who must be able to lock too.
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _forget_after_fork() -> None:
    # Another thread of the parent may have held the guard: nobody would open it in the child.
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()
    for held in _held.values():
        with suppress(OSError):
            os.close(held.descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_after_fork)

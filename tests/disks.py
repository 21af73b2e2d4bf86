"""Disks that are full."""

from collections.abc import Iterator
from contextlib import contextmanager
from resource import RLIMIT_FSIZE, getrlimit, setrlimit


@contextmanager
def no_room(beyond: int = 0) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes."""
    usual = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (beyond, usual[1]))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, usual)

"""How many pools of memory the C library makes for the threads of a process."""

import ctypes

MOST_ARENAS = 2
_M_ARENA_MAX = -8
"""As malloc.h has it."""


def limit_arenas() -> None:
    """Let all threads of this process, and of those that it forks, share few arenas.

    With glibc's default, eight for each core, every arena holds on to the most that its threads
    have needed at some time. Without effect where the C library is not glibc.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_ARENA_MAX, MOST_ARENAS)

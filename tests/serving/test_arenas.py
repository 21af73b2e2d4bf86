"""Many threads share what the C library keeps for them."""

import ctypes
import subprocess
import sys

import pytest

from stockroom.serving.arenas import MOST_ARENAS

PROGRAM = """
import ctypes
from threading import Barrier, Thread
from stockroom.serving.arenas import limit_arenas

limit_arenas()
barrier = Barrier(16)
def work():
    kept = bytearray(100_000)
    barrier.wait()
threads = [Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="the C library is not glibc"
)
def test_threads_share_few_arenas() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stderr
    assert 1 <= told.count(b"Arena ") <= MOST_ARENAS

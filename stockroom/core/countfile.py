"""A file that a process counts in, for any other to tell of, and that a full disk does no harm.

prometheus_client makes its files with holes, and writes into memory that stands for them: where the
disk has no room for a hole, the system ends the process (SIGBUS), and whatever takes its place.
"""

from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from prometheus_client.mmap_dict import MmapedDict

log = structlog.get_logger(__name__)

FIRST_SIZE = 1 << 16
RETRY_SECONDS = 1.0
"""How long a file that found no room does not ask for it again."""


class CountFile(MmapedDict):
    """Has all of its blocks before they are written to.

    Counts that find no room are kept by the process alone, and written once there is some.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._positions: dict[str, int] = {}
        self._f: Any = None
        self._waiting: dict[str, tuple[float, float]] = {}
        self._is_full_until = 0.0

    def read_value(self, key: str) -> tuple[float, float]:
        return super().read_value(key) if self._has_place(key) else (0.0, 0.0)

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        if self._has_place(key):
            super().write_value(key, value, timestamp)
        else:
            self._waiting[key] = value, timestamp

    def _has_place(self, key: str) -> bool:
        """Whether the key has one in the file by now."""
        if key not in self._positions and monotonic() >= self._is_full_until:
            try:
                self._make_place(key)
                self._write_waiting()
            except OSError as error:
                self._is_full_until = monotonic() + RETRY_SECONDS
                _say_once(str(error))
        return key in self._positions

    def _write_waiting(self) -> None:
        for key in [*self._waiting]:
            self._make_place(key)
            super().write_value(key, *self._waiting.pop(key))

    def _make_place(self, key: str) -> None:
        if self._f is None:
            self._begin()
        if key not in self._positions:
            # An entry is its key, and at most 28 bytes.
            if self._used + len(key.encode()) + 28 > self._capacity:
                _lengthen(self._path, 2 * self._capacity)
            self._init_value(key)

    def _begin(self) -> None:
        # Under another name: who tells of all files must not find an empty one.
        new = self._path.with_suffix(".new")
        try:
            if not self._path.exists():
                _lengthen(new, FIRST_SIZE)
                new.rename(self._path)
            super().__init__(str(self._path))
        finally:
            new.unlink(missing_ok=True)


def _lengthen(path: Path, size: int) -> None:
    """Have a file of this size whose new blocks are zeros, and no holes.

    :raises OSError: there is no room, and the file is as it was.
    """
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            while (missing := size - file.tell()) > 0:
                file.write(bytes(missing))
        except OSError:
            file.truncate(before)
            raise


@cache
def _say_once(reason: str) -> None:
    log.warning("metrics incomplete", reason=reason)

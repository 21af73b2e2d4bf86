"""The newest events in memory, each written out once for all who follow."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

from stockroom.outbox.document import document_for_everybody, document_of
from stockroom.outbox.models import Event

LINES_KEPT = 2_000
BYTES_KEPT = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it is sent.

    :ivar text: its JSON document, in ASCII and without line breaks.
    :ivar for_everybody: the line that accounts get which are no staff; None if they get none.
    """

    position: int
    type: str
    text: str
    for_everybody: "Line | None" = None

    @classmethod
    def of(cls, event: Event) -> "Line":
        own = event.position or 0, event.type
        public = cls(*own, _written(document_for_everybody(event))) if event.is_public else None
        return cls(*own, _written(document_of(event)), public)

    @property
    def size(self) -> int:
        """Bytes, with those of the other line."""
        return len(self.text) + (self.for_everybody.size if self.for_everybody else 0)


class Ring:
    """Lines without a gap up to ``newest``; the oldest make room, by number and by bytes."""

    def __init__(self, lines_kept: int = LINES_KEPT, bytes_kept: int = BYTES_KEPT) -> None:
        self._lines_kept = lines_kept
        self._bytes_kept = bytes_kept
        self._lock = Lock()
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self.newest: int | None = None

    def begin(self, position: int) -> None:
        """Hold nothing, and wait for what comes after the position."""
        with self._lock:
            self._lines.clear()
            self._bytes = 0
            self.newest = position

    def add(self, lines: Sequence[Line]) -> None:
        """Take the lines that come next."""
        with self._lock:
            for line in lines:
                self._lines.append(line)
                self._bytes += line.size
                self.newest = line.position
            while len(self._lines) > self._lines_kept or self._bytes > self._bytes_kept:
                self._bytes -= self._lines.popleft().size

    def after(self, position: int) -> Sequence[Line] | None:
        """The lines after a position; None if some of them are held no more.

        Before ``begin`` there are none to be had.
        """
        with self._lock:
            if self.newest is None or position >= self.newest:
                return ()
            held = self.newest - position
            if held > len(self._lines):
                return None
            return list(islice(self._lines, len(self._lines) - held, None))


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))

"""Answers that one process keeps: bounded in bytes, and in age."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from time import time

LONGEST_SECONDS = 1.0
"""How old an answer may be."""
RENEWED_SECONDS = 0.5
"""After that one is read anew, while the loop of the worker still gives it to those who ask."""
HOT_SECONDS = 2 * LONGEST_SECONDS
"""How old an answer may be for its address to count as one that is asked for all the time."""
MOST_BYTES = 8 * 1024 * 1024
"""More than a process reads in that time."""
MOST_DROPPED = 50
"""How many that are too old go at once: the loop of the worker waits for it."""
_TURNS = 64
_ENTRY_BYTES = 600
"""What Python needs around an answer, about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What everybody who asks for one address gets, as far as it is the same for all.

    :ivar link: the header ``Link``, where there is one.
    """

    body: bytes
    etag: str
    link: str | None = None


@dataclass(slots=True)
class _Entry:
    answer: Answer
    read_at: float
    generation: int
    is_renewed: bool = False

    def is_within(self, seconds: float) -> bool:
        # Below zero by the clock of another host, or after this one was set back.
        return 0 <= time() - self.read_at <= seconds


class Memory:
    """Answers by their address; those asked for least recently make room for new ones, and those
    that are too old to be of any use go when new ones come.

    A generation ends with each write that this process commits: answers from before it are not
    given any more, nor those that were being read meanwhile.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()
        self._turns = [Lock() for _ in range(_TURNS)]
        self.generation = 0
        self.bytes = 0

    def get(self, address: str) -> Answer | None:
        """The answer, unless it is to be renewed."""
        entry = self._current(address, RENEWED_SECONDS)
        if entry is None:
            return None
        with self._lock:
            if address in self._entries:
                self._entries.move_to_end(address)
        return entry.answer

    def has(self, address: str) -> bool:
        """Whether there is an answer that is not too old."""
        return self._current(address, LONGEST_SECONDS) is not None

    def at_hand(self, address: str) -> Answer | None:
        """The answer, if it is not too old.

        The first to ask once it is to be renewed gets none, and has it read anew; the others need
        not wait for that.
        """
        entry = self._current(address, LONGEST_SECONDS)
        if entry is None or entry.is_renewed or entry.is_within(RENEWED_SECONDS):
            return entry.answer if entry else None
        entry.is_renewed = True
        return None

    def is_hot(self, address: str) -> bool:
        """Whether it is asked for about once a second or more often."""
        entry = self._entries.get(address)
        return entry is not None and entry.is_within(HOT_SECONDS)

    def keep(self, address: str, answer: Answer, read_at: float, generation: int) -> None:
        """:param read_at: when its reading began, by the clock (``time.time``).
        :param generation: the one in which its reading began.
        """
        with self._lock:
            there = self._entries.get(address)
            if there and there.generation > generation:
                # Another reader, who began after the write, was quicker.
                return
            self._drop(address)
            self._entries[address] = _Entry(answer, read_at, generation)
            self.bytes += _size(address, answer)
            self._make_room()

    def turn(self, address: str) -> Lock:
        """Who holds it reads the address; others may wait, and then find the answer."""
        return self._turns[hash(address) % _TURNS]

    def move_on(self) -> None:
        """Begin another generation."""
        with self._lock:
            self.generation += 1

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.bytes = 0

    def _current(self, address: str, seconds: float) -> _Entry | None:
        entry = self._entries.get(address)
        if entry and entry.generation == self.generation and entry.is_within(seconds):
            return entry
        return None

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))
        for _ in range(MOST_DROPPED):
            oldest = next(iter(self._entries), None)
            if oldest is None or self._entries[oldest].is_within(HOT_SECONDS):
                return
            self._drop(oldest)

    def _drop(self, address: str) -> None:
        if entry := self._entries.pop(address, None):
            self.bytes -= _size(address, entry.answer)


def _size(address: str, answer: Answer) -> int:
    return len(address) + len(answer.body) + _ENTRY_BYTES

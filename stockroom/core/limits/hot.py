"""The limit on hot reads: counted here, and told to the shared store a few at a time."""

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock

from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.util import WindowStats
from redis.exceptions import RedisError

from stockroom.core.limits import counts
from stockroom.core.recent import Recent
from stockroom.extensions import limiter

MOST_UNTOLD = 50
"""How many requests of one caller the store may not know of, for each process."""
UNTOLD_SHARE = 20
"""And at most one in so many of those that the limit allows: a small one is counted exactly."""
MOST_WAITING = 4
"""How many times as many may be untold of those who do not wait for the store."""
LONGEST_SECONDS = 1.0
_MOST_CALLERS = 10_000

_Key = tuple[str, str]
"""A caller and an endpoint."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the RateLimit headers tell.

    :ivar counted: whom the request was counted for here, and where.
    """

    limit: int
    remaining: int
    reset_at: float
    counted: _Key | None = None


@dataclass(slots=True)
class _Count:
    """What one caller has asked for.

    :ivar allowance: as the store has told it last, or all of it if it was never asked.
    :ivar told_at: when that was, in seconds since the epoch.
    :ivar exact_until: the store is asked each time until then, as it has refused something.
    """

    allowance: Allowance
    told_at: float = 0.0
    untold: int = 0
    exact_until: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def take(self) -> int:
        """How many are untold; they are no longer."""
        with self.lock:
            untold, self.untold = self.untold, 0
        return untold

    def hear(self, allowance: Allowance) -> None:
        """Go by what the store has told; others may have gone on counting meanwhile."""
        with self.lock:
            self.allowance, self.told_at = allowance, time.time()

    def refuse(self, exact_seconds: float) -> None:
        with self.lock:
            self.allowance = replace(self.allowance, remaining=0)
            self.exact_until = time.time() + exact_seconds


class HotLimits:
    """Counts as flask-limiter does, by caller and endpoint, but asks its store less often."""

    def __init__(self, limits: str, *, is_shared: bool) -> None:
        """:param limits: as flask-limiter takes them.
        :param is_shared: whether all processes count in one store.
        """
        self._is_shared = is_shared
        self._items = sorted(parse_many(limits))
        self._tightest = self._items[0]
        self._longest_seconds = max(item.get_expiry() for item in self._items)
        self._most_untold = min(MOST_UNTOLD, max(1, self._tightest.amount // UNTOLD_SHARE))
        self._most_waiting = MOST_WAITING * (self._most_untold - 1)
        self._counts = Recent[_Key, _Count](_MOST_CALLERS)
        self._due: set[_Key] = set()

    def count(self, caller: str, endpoint: str, *, may_wait: bool = True) -> Allowance | None:
        """One more request; None where flask-limiter itself has to look, and to refuse it.

        :param may_wait: for the store. Who may not is counted here, and ``tell`` is due; None as
            well for a limit that is counted exactly, or if too many wait to be told.
        """
        key = caller, endpoint
        count = self._counts.get(key)
        if not may_wait:
            return self._counted_meanwhile(key, count)
        if count is not None and (allowance := self._counted_here(key, count, most_waiting=0)):
            return allowance
        try:
            return self._ask_store(key, count, asked=1)
        except (RedisError, OSError):
            return None

    def give_back(self, allowance: Allowance) -> None:
        """Take back what was counted here: somebody else counts the request."""
        count = self._counts.get(allowance.counted) if allowance.counted else None
        if count is not None:
            with count.lock:
                # What the store was told meanwhile stays.
                count.untold = max(0, count.untold - 1)

    def is_due(self) -> bool:
        """Whether ``tell`` has something to tell."""
        return bool(self._due)

    def tell(self) -> None:
        """Tell the store of those who did not wait for it; of one thread at a time."""
        # Others fall due meanwhile, and are for the next time.
        with suppress(RedisError, OSError):
            for _ in range(len(self._due)):
                key = self._due.pop()
                if count := self._counts.get(key):
                    self._ask_store(key, count, asked=0)

    def _counted_meanwhile(self, key: _Key, count: _Count | None) -> Allowance | None:
        if self._most_waiting == 0 or self._is_away():
            return None
        if count is None:
            count = self._new_count(key)
        if time.time() < count.exact_until:
            return None
        return self._counted_here(key, count, most_waiting=self._most_waiting)

    def _counted_here(self, key: _Key, count: _Count, *, most_waiting: int) -> Allowance | None:
        with count.lock:
            told, now = count.allowance, time.time()
            if count.untold >= told.remaining:
                return None
            is_late = now - count.told_at >= LONGEST_SECONDS
            if is_late or count.untold + 1 >= self._most_untold:
                if count.untold >= most_waiting:
                    return None
                self._due.add(key)
            count.untold += 1
            left = max(0, told.remaining - count.untold)
            # The oldest that counted then has left the window; of the next one nothing is known.
            end = told.reset_at if told.reset_at > now else now + self._tightest.get_expiry()
            return Allowance(told.limit, left, end, key)

    def _ask_store(self, key: _Key, count: _Count | None, *, asked: int) -> Allowance | None:
        """Tell the store of what was counted here, and of ``asked`` more, which it may forbid.

        :raises RedisError: or OSError, if it does not answer.
        """
        if self._is_away():
            return None
        if count is None:
            count = self._new_count(key)
        untold = count.take()
        if untold + asked == 0:
            return None
        try:
            window = self._window(key, untold, asked)
        except (RedisError, OSError):
            # flask-limiter is to find out, and the store is asked again each time.
            count.refuse(0.0)
            raise
        if window is None:
            count.refuse(self._longest_seconds)
            return None
        allowance = Allowance(self._tightest.amount, max(0, window.remaining), window.reset_time)
        count.hear(allowance)
        return allowance

    def _window(self, key: _Key, untold: int, asked: int) -> WindowStats | None:
        """What is left of the tightest limit; None where one forbids it."""
        if window := self._hit(key, untold + asked):
            return window
        # Those who were answered count all the same, as many of them as there is room for.
        for _ in range(untold):
            if self._hit(key, 1) is None:
                break
        return None

    def _is_away(self) -> bool:
        """Whether flask-limiter counts by itself, and is the one to find out when that is over."""
        return self._is_shared and isinstance(limiter.limiter.storage, MemoryStorage)

    def _hit(self, key: _Key, cost: int) -> WindowStats | None:
        """What is left of the tightest limit; None where one forbids it."""
        strategy = limiter.limiter
        if isinstance(strategy.storage, RedisStorage):
            return counts.hit(strategy.storage, self._items, *key, cost)
        if not all(strategy.hit(item, *key, cost=cost) for item in self._items):
            return None
        return strategy.get_window_stats(self._tightest, *key)

    def _new_count(self, key: _Key) -> _Count:
        """Of a caller of whom nothing is known here."""
        amount = self._tightest.amount
        count = _Count(Allowance(amount, amount, time.time() + self._tightest.get_expiry()))
        self._counts.keep(key, count)
        return count

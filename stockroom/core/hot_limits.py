"""The limit on hot reads: counted here, and told to the shared store a few at a time."""

import time
from dataclasses import dataclass, field
from threading import Lock

from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.util import WindowStats
from redis.exceptions import RedisError

from stockroom.core import counts
from stockroom.core.recent import Recent
from stockroom.extensions import limiter

MOST_UNTOLD = 50
"""How many requests of one caller the store may not know of, for each process."""
UNTOLD_SHARE = 20
"""And at most one in so many of those that the limit allows: a small one is counted exactly."""
MOST_WAITING = 4
"""As many times as many may be untold while somebody tells of them."""
LONGEST_SECONDS = 1.0
_MOST_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the RateLimit headers tell.

    :ivar counted: whom the request was counted for here, and where.
    """

    limit: int
    remaining: int
    reset_at: float
    counted: tuple[str, str] | None = None


@dataclass(slots=True)
class _Count:
    allowance: Allowance
    told_at: float
    untold: int = 0
    is_told: bool = False
    """Whether somebody has gone to tell the store."""
    lock: Lock = field(default_factory=Lock)

    def take(self) -> int:
        """How many to tell now: those that are untold, and the one at hand."""
        with self.lock:
            untold, self.untold = self.untold, 0
        return untold + 1


class HotLimits:
    """Counts as flask-limiter does, by caller and endpoint, but asks its store less often."""

    def __init__(self, limits: str, *, is_shared: bool) -> None:
        """:param limits: as flask-limiter takes them.
        :param is_shared: whether all processes count in one store.
        """
        self._is_shared = is_shared
        self._items = sorted(parse_many(limits))
        self._tightest = self._items[0]
        self._most_untold = min(MOST_UNTOLD, max(1, self._tightest.amount // UNTOLD_SHARE))
        self._most_waiting = MOST_WAITING * (self._most_untold - 1)
        self._counts = Recent[tuple[str, str], _Count](_MOST_CALLERS)

    def count(self, caller: str, endpoint: str, *, may_wait: bool = True) -> Allowance | None:
        """One more request; None where flask-limiter itself has to look, and to refuse it.

        :param may_wait: for the store. Of those who may not, the first to come when the store is
            due gets None, uncounted; the others go on until somebody has told it.
        """
        key = caller, endpoint
        count = self._counts.get(key)
        if count is not None and (allowance := self._counted_here(key, count, may_wait=may_wait)):
            return allowance
        if not may_wait:
            return None
        return self._tell(caller, endpoint, count)

    def give_back(self, allowance: Allowance) -> None:
        """Take back what was counted here: somebody else counts the request."""
        count = self._counts.get(allowance.counted) if allowance.counted else None
        if count is not None:
            with count.lock:
                # What the store was told meanwhile stays.
                count.untold = max(0, count.untold - 1)

    def _counted_here(
        self, key: tuple[str, str], count: _Count, *, may_wait: bool
    ) -> Allowance | None:
        with count.lock:
            if count.untold >= count.allowance.remaining:
                return None
            is_late = time.time() - count.told_at >= LONGEST_SECONDS
            if is_late or count.untold + 1 >= self._most_untold:
                is_first, count.is_told = not count.is_told, True
                if may_wait or is_first or count.untold >= self._most_waiting:
                    return None
            count.untold += 1
            told = count.allowance
            left = max(0, told.remaining - count.untold)
            return Allowance(told.limit, left, told.reset_at, key)

    def _tell(self, caller: str, endpoint: str, count: _Count | None) -> Allowance | None:
        if self._is_shared and isinstance(limiter.limiter.storage, MemoryStorage):
            # The store is away, and flask-limiter is the one to find out when it is back.
            return None
        cost = count.take() if count else 1
        try:
            window = self._hit(caller, endpoint, cost)
            if window is None and cost > 1:
                # The others were answered, and count all the same.
                self._hit(caller, endpoint, cost - 1)
        except (RedisError, OSError):
            return None
        if window is None:
            self._counts.drop((caller, endpoint))
            return None
        allowance = Allowance(self._tightest.amount, max(0, window.remaining), window.reset_time)
        # Others may have gone on counting meanwhile.
        untold = count.untold if count else 0
        self._counts.keep((caller, endpoint), _Count(allowance, time.time(), untold))
        return allowance

    def _hit(self, caller: str, endpoint: str, cost: int) -> WindowStats | None:
        """What is left of the tightest limit; None where one forbids it."""
        strategy = limiter.limiter
        if isinstance(strategy.storage, RedisStorage):
            return counts.hit(strategy.storage, self._items, caller, endpoint, cost)
        if not all(strategy.hit(item, caller, endpoint, cost=cost) for item in self._items):
            return None
        return strategy.get_window_stats(self._tightest, caller, endpoint)

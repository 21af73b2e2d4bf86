"""Hot reads are counted here, and told to the store a few at a time."""

from flask import Flask

from stockroom.core.hot_limits import MOST_UNTOLD, MOST_WAITING, HotLimits
from stockroom.extensions import limiter

ENDPOINT = "a hot one"


def told(limits: HotLimits) -> int:
    """How many requests the store knows of."""
    stats = limiter.limiter.get_window_stats(limits._tightest, "ada", ENDPOINT)  # noqa: SLF001
    return limits._tightest.amount - stats.remaining  # noqa: SLF001


def test_who_waits_for_nothing_is_counted_while_somebody_tells_the_store(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        assert limits.count("ada", ENDPOINT, may_wait=False) is None
        first = limits.count("ada", ENDPOINT)
        assert first is not None
        assert told(limits) == 1
        counted = [limits.count("ada", ENDPOINT, may_wait=False) for _ in range(MOST_UNTOLD)]
        assert counted.index(None) == counted.count(None) * (MOST_UNTOLD - 1)
        assert limits.count("ada", ENDPOINT)
        assert told(limits) == 1 + MOST_UNTOLD


def test_not_more_than_some_wait_to_be_told(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        limits.count("ada", ENDPOINT)
        counted = [limits.count("ada", ENDPOINT, may_wait=False) for _ in range(1000)]
        passed = len(counted) - counted.count(None)
        assert passed == MOST_WAITING * (MOST_UNTOLD - 1)
        limits.count("ada", ENDPOINT)
        assert told(limits) == 1 + passed + 1


def test_a_small_limit_is_counted_exactly(app: Flask) -> None:
    limits = HotLimits("5 per minute", is_shared=False)
    with app.app_context():
        assert limits.count("ada", ENDPOINT)
        assert not any(limits.count("ada", ENDPOINT, may_wait=False) for _ in range(20))
        assert [bool(limits.count("ada", ENDPOINT)) for _ in range(6)] == [True] * 4 + [False] * 2


def test_nobody_gets_more_than_the_limit_allows(app: Flask) -> None:
    limits = HotLimits("100 per hour", is_shared=False)
    with app.app_context():
        passed = [bool(limits.count("ada", ENDPOINT)) for _ in range(300)]
        assert passed == [True] * 100 + [False] * 200
        assert told(limits) == 100


def test_who_was_answered_counts_though_the_store_forbids_the_next(app: Flask) -> None:
    limits = HotLimits("1000 per hour", is_shared=False)
    with app.app_context():
        assert all(limits.count("ada", ENDPOINT) for _ in range(MOST_UNTOLD))
        # Another process tells of its own.
        others = 1000 - MOST_UNTOLD
        assert limiter.limiter.hit(limits._tightest, "ada", ENDPOINT, cost=others)  # noqa: SLF001
        assert told(limits) == 1 + others
        assert limits.count("ada", ENDPOINT) is None
        assert told(limits) == 1000


def test_what_somebody_else_counts_is_given_back(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        limits.count("ada", ENDPOINT)
        for _ in range(2 * MOST_UNTOLD):
            counted = limits.count("ada", ENDPOINT, may_wait=False)
            assert counted is not None
            assert counted.remaining == 4998
            limits.give_back(counted)
        assert told(limits) == 1

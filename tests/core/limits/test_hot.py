"""Hot reads are counted here, and told to the store a few at a time."""

import time
from collections.abc import Callable

import pytest
from flask import Flask

from stockroom.core.limits import hot
from stockroom.core.limits.hot import MOST_UNTOLD, MOST_WAITING, Allowance, HotLimits
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import limiter

ENDPOINT = "a hot one"
TIME = time.time


def told(limits: HotLimits) -> int:
    """How many requests the store knows of."""
    stats = limiter.limiter.get_window_stats(limits._tightest, "ada", ENDPOINT)  # noqa: SLF001
    return limits._tightest.amount - stats.remaining  # noqa: SLF001


def count_elsewhere(limits: HotLimits, requests: int) -> None:
    """As another process tells of its own."""
    assert limiter.limiter.hit(limits._tightest, "ada", ENDPOINT, cost=requests)  # noqa: SLF001


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(hot.time, "time", lambda: TIME() + seconds)


def count_in_loop(limits: HotLimits, times: int) -> list[Allowance | None]:
    return [limits.count("ada", ENDPOINT, may_wait=False) for _ in range(times)]


def test_who_waits_for_nothing_is_counted_and_told_of_later(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        (first,) = count_in_loop(limits, 1)
        assert first is not None
        assert (first.limit, first.remaining) == (5000, 4999)
        assert (limits.is_due(), told(limits)) == (True, 0)
        limits.tell()
        assert (limits.is_due(), told(limits)) == (False, 1)
        assert None not in count_in_loop(limits, MOST_UNTOLD - 2)
        assert not limits.is_due()
        assert None not in count_in_loop(limits, 2)
        limits.tell()
        assert told(limits) == 1 + MOST_UNTOLD


def test_what_is_left_is_what_all_processes_have_left(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        count_elsewhere(limits, 1000)
        count_in_loop(limits, 1)
        limits.tell()
        (allowance,) = count_in_loop(limits, 1)
        assert allowance is not None
        assert allowance.remaining == 5000 - 1000 - 2


def test_not_more_than_some_wait_to_be_told(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=False)
    with app.app_context():
        counted = count_in_loop(limits, 1000)
        passed = len(counted) - counted.count(None)
        assert passed == MOST_WAITING * (MOST_UNTOLD - 1)
        limits.count("ada", ENDPOINT)
        assert told(limits) == passed + 1


def test_a_small_limit_is_counted_exactly(app: Flask) -> None:
    limits = HotLimits("5 per minute", is_shared=False)
    with app.app_context():
        assert limits.count("ada", ENDPOINT)
        assert not any(count_in_loop(limits, 20))
        assert [bool(limits.count("ada", ENDPOINT)) for _ in range(6)] == [True] * 4 + [False] * 2


def test_nobody_gets_more_than_the_limit_allows(app: Flask) -> None:
    limits = HotLimits("100 per hour", is_shared=False)
    with app.app_context():
        passed = [bool(limits.count("ada", ENDPOINT)) for _ in range(300)]
        assert passed == [True] * 100 + [False] * 200
        assert told(limits) == 100


def test_in_the_loop_nobody_gets_more_either(app: Flask) -> None:
    limits = HotLimits("100 per hour", is_shared=False)
    with app.app_context():
        passed = 0
        for _ in range(30):
            counted = count_in_loop(limits, 10)
            passed += len(counted) - counted.count(None)
            limits.tell()
        assert passed == told(limits) == 100


def test_who_is_refused_elsewhere_is_left_to_the_store_once_it_was_told(app: Flask) -> None:
    limits = HotLimits("1000 per hour", is_shared=False)
    with app.app_context():
        count_elsewhere(limits, 1000)
        assert count_in_loop(limits, 1) != [None]
        limits.tell()
        assert count_in_loop(limits, 3) == [None] * 3
        assert limits.count("ada", ENDPOINT) is None
        assert count_in_loop(limits, 3) == [None] * 3
        assert told(limits) == 1000


def test_who_was_refused_is_left_to_the_store_for_as_long_as_a_limit_looks_back(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = HotLimits("100 per second; 1000 per hour", is_shared=False)
    with app.app_context():
        assert limiter.limiter.hit(limits._items[1], "ada", ENDPOINT, cost=1000)  # noqa: SLF001
        assert count_in_loop(limits, 1) != [None]
        limits.tell()
        assert count_in_loop(limits, 3) == [None] * 3
        pass_time(monkeypatch, 600)
        assert count_in_loop(limits, 3) == [None] * 3
        limiter.reset()
        assert limits.count("ada", ENDPOINT)
        assert count_in_loop(limits, 3) == [None] * 3
        pass_time(monkeypatch, 3600)
        assert None not in count_in_loop(limits, 3)


def test_what_was_left_is_all_that_there_is_until_the_store_says_more(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = HotLimits("1000 per hour", is_shared=False)
    with app.app_context():
        count_elsewhere(limits, 997)
        assert limits.count("ada", ENDPOINT)
        pass_time(monkeypatch, 7200)
        counted = count_in_loop(limits, 10)
        assert counted[2:] == [None] * 8
        assert counted[0] is not None
        assert counted[0].reset_at > time.time()


def test_while_the_store_does_not_answer_nobody_is_counted_in_the_loop(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    limits = HotLimits("1000 per hour", is_shared=True)
    with make_app(redis_url=redis.url).app_context():
        assert count_in_loop(limits, 1) != [None]
        redis.stop()
        limits.tell()
        assert count_in_loop(limits, 1) == [None]
        assert limits.count("ada", ENDPOINT) is None
        redis.start()
        assert limits.count("ada", ENDPOINT)
        assert count_in_loop(limits, 1) != [None]


def test_who_was_answered_counts_though_the_store_forbids_the_next(app: Flask) -> None:
    limits = HotLimits("1000 per hour", is_shared=False)
    with app.app_context():
        assert all(limits.count("ada", ENDPOINT) for _ in range(MOST_UNTOLD))
        others = 1000 - MOST_UNTOLD
        count_elsewhere(limits, others)
        assert told(limits) == 1 + others
        assert limits.count("ada", ENDPOINT) is None
        assert told(limits) == 1000


def test_of_those_who_were_answered_as_many_count_as_there_is_room_for(app: Flask) -> None:
    limits = HotLimits("1000 per hour", is_shared=False)
    with app.app_context():
        count_elsewhere(limits, 998)
        assert None not in count_in_loop(limits, 5)
        limits.tell()
        assert told(limits) == 1000


def test_while_the_store_is_away_flask_limiter_counts(app: Flask) -> None:
    limits = HotLimits("5000 per minute", is_shared=True)
    with app.app_context():
        assert count_in_loop(limits, 1) == [None]
        assert limits.count("ada", ENDPOINT) is None


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

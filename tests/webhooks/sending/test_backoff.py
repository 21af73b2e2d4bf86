"""When a delivery is tried again: a plan for a day."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockroom.webhooks.sending.backoff import (
    GIVEN_UP_AFTER,
    JITTER,
    LONGEST,
    next_try,
    read_retry_after,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
chances = st.floats(0, 1)
waits = st.timedeltas(timedelta(0), timedelta(hours=30))


def test_waits_grow_threefold_up_to_six_hours() -> None:
    tries = [next_try(NOON, NOON, attempts, 0.5) for attempts in range(1, 12)]
    seconds = [(moment - NOON).total_seconds() for moment in tries if moment]
    assert seconds == [5, 15, 45, 135, 405, 1215, 3645, 10935, 21600, 21600, 21600]


@given(chances)
def test_a_delivery_is_tried_about_a_dozen_times_in_a_day(chance: float) -> None:
    attempts, moment, last = 0, NOON, NOON
    while moment:
        attempts, last = attempts + 1, moment
        moment = next_try(NOON, last, attempts, chance)  # type: ignore[assignment]
    assert 11 <= attempts <= 14
    assert last <= NOON + GIVEN_UP_AFTER
    assert last >= NOON + GIVEN_UP_AFTER - LONGEST * (1 + JITTER)


@given(st.integers(1, 1000), chances, waits)
def test_no_try_is_planned_past_the_day(attempts: int, chance: float, after: timedelta) -> None:
    due = next_try(NOON, NOON + after, attempts, chance)
    assert due is None or NOON + after < due <= NOON + GIVEN_UP_AFTER


@given(st.integers(1, 20), chances, waits)
def test_no_try_comes_before_retry_after(attempts: int, chance: float, wait: timedelta) -> None:
    due = next_try(NOON, NOON, attempts, chance, NOON + wait)
    assert due is None or due >= min(NOON + wait, NOON + timedelta(hours=24))


@given(st.integers(1, 6), chances, chances)
def test_jitter_stays_within_a_fifth(attempts: int, one: float, other: float) -> None:
    first, second = (next_try(NOON, NOON, attempts, chance) for chance in (one, other))
    assert first
    assert second
    assert (first - NOON) / (second - NOON) <= (1 + JITTER) / (1 - JITTER) + 1e-6


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999999999999999999", 24 * 3600),
        ("Wed, 25 Nov 2026 12:01:00 GMT", 60),
        ("Wed, 25 Nov 2026 12:01:00 -0000", 60),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int) -> None:
    assert read_retry_after(header, NOON) == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "soon",
        "-1",
        "1.5",
        "٣",
        "Wed, 99 Nov 2026",
        "Wed, 25 Nov 2026 12:01:00 +" + "9" * 20,
    ],
)
def test_what_is_neither_is_left_aside(header: str | None) -> None:
    assert read_retry_after(header, NOON) is None

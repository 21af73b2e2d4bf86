"""When a delivery that has failed is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST = timedelta(seconds=5)
FACTOR = 3
LONGEST = timedelta(hours=6)
JITTER = 0.2
"""How far a wait may lie from the one that is due, as a part of it."""
GIVEN_UP_AFTER = timedelta(hours=24)
LONGEST_RETRY_AFTER = timedelta(hours=24)


def next_try(
    created_at: datetime,
    failed_at: datetime,
    attempts: int,
    chance: float,
    retry_after: datetime | None = None,
) -> datetime | None:
    """When to try again; None if it is time to give up.

    :param attempts: how many have failed, this one included.
    :param chance: from 0 to 1, at random: receivers that were away are not all asked at once.
    :param retry_after: what the receiver asked for; never tried earlier, unless it is very late.
    """
    # From the twentieth on, each is the longest anyway; the power would grow past all bounds.
    wait = min(FIRST * FACTOR ** min(attempts - 1, 20), LONGEST)
    due = failed_at + wait * (1 - JITTER + 2 * JITTER * chance)
    if retry_after is not None:
        due = max(due, min(retry_after, failed_at + LONGEST_RETRY_AFTER))
    return due if due <= created_at + GIVEN_UP_AFTER else None


def read_retry_after(header: str | None, received_at: datetime) -> datetime | None:
    """The moment that ``Retry-After`` names, in seconds or as a date (RFC 9110, 10.2.3).

    None if there is no such header, or none that can be read.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = min(int(text[:12]), int(LONGEST_RETRY_AFTER.total_seconds()))
        return received_at + timedelta(seconds=seconds)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

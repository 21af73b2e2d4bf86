"""How much of a product was on hand, step by step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from stockroom.core.database import now
from stockroom.core.errors import InvalidInput
from stockroom.core.transaction import reading
from stockroom.products import service as products
from stockroom.stock import repository
from stockroom.stock.filters import Step

MOST_POINTS = 1000
DEFAULT_POINTS = 30


@dataclass(frozen=True, slots=True)
class Point:
    """A step of a history.

    :ivar at: when it begins.
    :ivar change: by how many pieces the stock changed within it.
    :ivar on_hand: the pieces at its end.
    """

    at: datetime
    change: int
    on_hand: int


def history(
    product_id: UUID, step: Step, begin: datetime | None = None, end: datetime | None = None
) -> Sequence[Point]:
    """What was on hand at the end of each step, by the times at which movements occurred.

    :param begin: the first step holds it; thirty steps before the end if left out.
    :param end: the last step begins before it; now if left out.
    :raises ProductNotFound: if there is no such product.
    :raises InvalidInput: if the end is not after the beginning, or there are too many steps.
    """
    end = end or now()
    try:
        starts = list(_starts(step, begin or _back(step, end, DEFAULT_POINTS), end))
    except OverflowError:
        raise InvalidInput({"from": ["Too near to the year 1 or 9999."]}) from None
    products.get(product_id, to_staff=True)
    with reading() as session:
        changes = repository.ledger.changes_by_step(session, product_id, step, end)
    by_start = {start.astimezone(UTC): change for start, change in changes}
    on_hand = sum(change for start, change in by_start.items() if start < starts[0])
    points = []
    for start in starts:
        change = by_start.get(start, 0)
        on_hand += change
        points.append(Point(start, change, on_hand))
    return points


def _starts(step: Step, begin: datetime, end: datetime) -> Iterator[datetime]:
    """:raises InvalidInput: see ``history``."""
    start = _floor(step, begin)
    if begin >= end:
        raise InvalidInput({"to": ["Must be after from."]})
    for _ in range(MOST_POINTS):
        if start >= end:
            return
        yield start
        start = _next(step, start)
    if start < end:
        raise InvalidInput({"step": [f"Gives more than {MOST_POINTS} points."]})


def _floor(step: Step, moment: datetime) -> datetime:
    """The beginning of the step that holds the moment (as PostgreSQL's ``date_trunc`` has it)."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return {
        Step.HOUR: hour,
        Step.DAY: day,
        Step.WEEK: day - timedelta(days=day.weekday()),
        Step.MONTH: day.replace(day=1),
    }[step]


def _next(step: Step, start: datetime) -> datetime:
    if step is Step.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + _LENGTHS[step]


def _back(step: Step, end: datetime, steps: int) -> datetime:
    return end - steps * _LENGTHS[step]


_LENGTHS = {
    Step.HOUR: timedelta(hours=1),
    Step.DAY: timedelta(days=1),
    Step.WEEK: timedelta(weeks=1),
    Step.MONTH: timedelta(days=30),
}

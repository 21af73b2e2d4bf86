"""Whether the counters are what the ledger says, and mending them where they are not."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from stockroom.core.database import new_id, now
from stockroom.core.transaction import reading, transaction
from stockroom.products.models import Product
from stockroom.stock import repository
from stockroom.stock.events import record_changed
from stockroom.stock.models import (
    Level,
    Movement,
    MovementKind,
    Reservation,
    ReservationLine,
)
from stockroom.stock.repository.reservations import IS_HELD
from stockroom.stock.values import Balance

REASON = "flask stock verify --repair: the counter said {counter}, the ledger {ledger}"


class Difference(NamedTuple):
    """A level that is not what it should be.

    :ivar on_hand: what the counter says; ``ledger``: the sum of the movements.
    :ivar reserved: what the counter says; ``promised``: the sum of what reservations hold.
    """

    product_id: UUID
    sku: str
    location: str
    on_hand: int
    ledger: int
    reserved: int
    promised: int


class Break(NamedTuple):
    """A movement whose balance does not follow from those before it."""

    sku: str
    location: str
    sequence: int
    change: int
    balance: int
    expected: int


def verify() -> Sequence[Difference]:
    """All levels that differ from ledger and reservations, as they are at one moment."""
    with reading() as session:
        return _differences(session)


def repair() -> Sequence[Difference]:
    """Write what the counters say into the ledger, as adjustments; returns what differed.

    A counter decides what is sold, so it stays, and the ledger tells why it is so. The counter of
    what is promised has no ledger: it becomes the sum of what reservations hold, which is told by
    an event. More than is on hand cannot be promised: that stays as it is.
    """
    with transaction() as session:
        found = {difference.product_id for difference in _differences(session)}
        if not found:
            return []
        levels = repository.levels.lock(session, found)
        differences = _differences(session, found)
        for difference in differences:
            _mend(session, difference, levels[difference.product_id, difference.location])
    return differences


def replay(sku: str | None = None) -> Sequence[Break]:
    """Go through the ledger in the order of recording; returns where a balance does not follow."""
    running = func.sum(Movement.change).over(
        partition_by=(Movement.product_id, Movement.location), order_by=Movement.sequence
    )
    lines = select(
        Movement.product_id,
        Movement.location,
        Movement.sequence,
        Movement.change,
        Movement.balance,
        cast(running, BigInteger).label("expected"),
    )
    if sku is not None:
        meant = select(Product.id).where(func.lower(Product.sku) == func.lower(sku))
        lines = lines.where(Movement.product_id.in_(meant))
    line = lines.subquery()
    statement = (
        select(Product.sku, *(line.c[name] for name in Break._fields[1:]))
        .join(Product, Product.id == line.c.product_id)
        .where(line.c.balance != line.c.expected)
        .order_by(line.c.sequence)
    )
    with reading() as session:
        return [Break(*row) for row in session.execute(statement)]


def _differences(
    session: Session, product_ids: Collection[UUID] | None = None
) -> Sequence[Difference]:
    ledger = _sums(Movement, Movement.change).subquery()
    held = _sums(ReservationLine, ReservationLine.quantity).join(Reservation).where(IS_HELD)
    promised = held.subquery()
    in_ledger = func.coalesce(ledger.c.pieces, literal(0))
    in_reservations = func.coalesce(promised.c.pieces, literal(0))
    statement = (
        select(
            Level.product_id,
            Product.sku,
            Level.location,
            Level.on_hand,
            in_ledger,
            Level.reserved,
            in_reservations,
        )
        .join(Product, Product.id == Level.product_id)
        .outerjoin(ledger, _is_of(ledger))
        .outerjoin(promised, _is_of(promised))
        .where(or_(Level.on_hand != in_ledger, Level.reserved != in_reservations))
        .order_by(Product.sku, Level.location)
    )
    if product_ids is not None:
        statement = statement.where(Level.product_id.in_(product_ids))
    return [Difference(*row) for row in session.execute(statement)]


def _sums(lines: Any, pieces: Any) -> Select[Any]:
    """How many pieces the lines name of each product at each location."""
    level = (lines.product_id, lines.location)
    return select(*level, cast(func.sum(pieces), BigInteger).label("pieces")).group_by(*level)


def _is_of(part: Any) -> Any:
    return (part.c.product_id == Level.product_id) & (part.c.location == Level.location)


def _mend(session: Session, found: Difference, level: Balance) -> None:
    key = (found.product_id, found.location)
    movement = None
    if found.on_hand != found.ledger:
        movement = _adjustment(found)
        repository.ledger.add(session, [movement])
    is_promised_anew = found.reserved != found.promised and found.promised <= found.on_hand
    if is_promised_anew:
        repository.levels.change(session, {key: (0, found.promised - found.reserved)})
        level.reserved = found.promised
    if movement or is_promised_anew:
        (item,) = repository.products.find(session, [found.product_id])
        record_changed(session, item, found.location, level, movement)


def _adjustment(found: Difference) -> dict[str, Any]:
    moment = now()
    return {
        "id": new_id(),
        "product_id": found.product_id,
        "location": found.location,
        "kind": MovementKind.ADJUSTED,
        "change": found.on_hand - found.ledger,
        "balance": found.on_hand,
        "reason": REASON.format(counter=found.on_hand, ledger=found.ledger),
        "occurred_at": moment,
        "recorded_at": moment,
    }

"""What is on hand and reserved, by product and location."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import BigInteger, String, Uuid, any_, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from stockroom.core.database import table_of
from stockroom.core.sql import batch
from stockroom.stock.models import Level, ReservationLine
from stockroom.stock.repository.expressions import IDS, total
from stockroom.stock.repository.reservations import overdue_lines
from stockroom.stock.values import Balance, Key

# What every sale sends: written once, and on tables, which costs less than on mapped classes.
_LEVELS = table_of(Level).c
_INSERT = insert(table_of(Level))

# In key order: two changes that share levels would otherwise deadlock.
_LOCK = (
    select(_LEVELS.product_id, _LEVELS.location, _LEVELS.on_hand, _LEVELS.reserved)
    .where(_LEVELS.product_id == any_(IDS))
    .order_by(_LEVELS.product_id, _LEVELS.location)
    .with_for_update()
)
_CHANGE = (
    func.unnest(
        IDS,
        bindparam("locations", type_=ARRAY(String)),
        bindparam("on_hand", type_=ARRAY(BigInteger)),
        bindparam("reserved", type_=ARRAY(BigInteger)),
    )
    .table_valued(
        column("product_id", Uuid()),
        column("location", String()),
        column("on_hand", BigInteger()),
        column("reserved", BigInteger()),
        name="change",
    )
    .render_derived()
    .c
)
_CHANGE_ALL = (
    update(table_of(Level))
    .where(_LEVELS.product_id == _CHANGE.product_id, _LEVELS.location == _CHANGE.location)
    .values(on_hand=_LEVELS.on_hand + _CHANGE.on_hand, reserved=_LEVELS.reserved + _CHANGE.reserved)
)


def lock(session: Session, product_ids: Collection[UUID]) -> dict[Key, Balance]:
    """All levels of these products; they stay as they are until the transaction ends."""
    rows = session.execute(_LOCK, {"ids": list(product_ids)})
    return {(row[0], row[1]): Balance(row[2], row[3]) for row in rows}


def open_missing(session: Session, keys: Iterable[Key]) -> None:
    """Make levels that are not there yet, with nothing on them."""
    rows = [
        {"product_id": product_id, "location": location, "on_hand": 0, "reserved": 0}
        for product_id, location in sorted(keys)
    ]
    session.execute(insert(Level).on_conflict_do_nothing(), rows)


def add(session: Session, levels: Mapping[Key, Balance]) -> None:
    """Make the levels of products that this very transaction makes."""
    for (product_id, location), it in levels.items():
        row = {"product_id": product_id, "location": location}
        counters = {"on_hand": it.on_hand, "reserved": it.reserved}
        batch.leave(session, _INSERT, row | counters)


def change(session: Session, changes: Mapping[Key, tuple[int, int]]) -> None:
    """Add to what is on hand and to what is reserved, at all these levels in one statement."""
    product_ids, locations = zip(*changes, strict=True)
    on_hand, reserved = zip(*changes.values(), strict=True)
    values = {
        "ids": list(product_ids),
        "locations": list(locations),
        "on_hand": list(on_hand),
        "reserved": list(reserved),
    }
    batch.leave(session, _CHANGE_ALL, values)


def of(session: Session, product_id: UUID) -> dict[str, Balance]:
    """By location, without what is overdue: one moment, in one statement."""
    overdue = (
        overdue_lines(func.sum(ReservationLine.quantity))
        .where(
            ReservationLine.product_id == Level.product_id,
            ReservationLine.location == Level.location,
        )
        .correlate(Level)
    )
    statement = (
        select(Level.location, Level.on_hand, Level.reserved - total(overdue))
        .where(Level.product_id == product_id)
        .order_by(Level.location)
    )
    return {row[0]: Balance(row[1], row[2]) for row in session.execute(statement)}

"""Every query on stock, and its set-based writes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Row,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, selectinload

from stockroom.core import batch
from stockroom.core.database import now, row_of, table_of
from stockroom.core.pagination import Keyset
from stockroom.products.models import Product, ProductStatus
from stockroom.stock.filters import MovementFilters, ReservationFilters
from stockroom.stock.models import (
    Level,
    Location,
    Movement,
    Reservation,
    ReservationLine,
    ReservationStatus,
)

Key = tuple[UUID, str]
"""A product and a location: what a level is of."""

NEWEST_MOVEMENTS_FIRST = Keyset(
    "newest", Movement.sequence.expression, Movement.id, descending=True, parse=int
)
NEWEST_RESERVATIONS_FIRST = Keyset("newest", None, Reservation.id, descending=True)
LOCATIONS_BY_AGE = Keyset("oldest", None, Location.id)
PRODUCTS_BY_SKU = Keyset("sku", Product.sku.expression, Product.id)

IS_HELD = Reservation.status == ReservationStatus.HELD


def keys_by_product(keys: Iterable[Key]) -> Mapping[UUID, Sequence[Key]]:
    """The levels of each product, in their order; of one that has none, none."""
    by_product = defaultdict[UUID, list[Key]](list)
    for key in keys:
        by_product[key[0]].append(key)
    return by_product


class Item(NamedTuple):
    """A product, as far as the stock has to know it."""

    id: UUID
    sku: str
    status: ProductStatus
    low_stock_threshold: int | None

    @property
    def is_public(self) -> bool:
        return self.status is ProductStatus.ACTIVE

    @property
    def is_archived(self) -> bool:
        return self.status is ProductStatus.ARCHIVED


@dataclass(slots=True)
class Balance:
    """What a level holds."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


# --- Products ----------------------------------------------------------------------------


def find_items(
    session: Session, *, skus: Collection[str] = (), ids: Collection[UUID] = ()
) -> Sequence[Item]:
    """Products that have one of these ids, or one of these SKUs, in any case, and are not
    archived.
    """
    found: list[Item] = []
    if ids:
        found += map(Item._make, session.execute(_ITEMS_BY_ID, {"ids": list(ids)}))
    if skus:
        lowered = [sku.lower() for sku in skus]
        found += map(Item._make, session.execute(_ITEMS_BY_SKU, {"skus": lowered}))
    return found


def on_hand_of_product() -> ColumnElement[int]:
    """Pieces of the product that a statement is about, at all locations."""
    return _total(select(func.sum(Level.on_hand)).where(Level.product_id == Product.id))


def available_of_product(product: Any = Product) -> ColumnElement[int]:
    """Of these the ones that are promised to nobody; what is overdue counts as given back.

    :param product: ``Product``, or an alias of it in the statement around this.
    """
    free = func.sum(Level.on_hand - Level.reserved)
    unpromised = select(free).where(Level.product_id == product.id)
    overdue = _overdue_lines(func.sum(ReservationLine.quantity)).where(
        ReservationLine.product_id == product.id
    )
    return _total(unpromised.correlate(product)) + _total(overdue.correlate(product))


def low_products(default_threshold: int) -> Select[tuple[Product]]:
    """Products that the stock knows, with as few pieces available as their threshold or fewer."""
    available = available_of_product()
    threshold = func.coalesce(Product.low_stock_threshold, default_threshold)
    is_stocked = select(Level.product_id).where(Level.product_id == Product.id).exists()
    return select(Product).where(
        Product.status != ProductStatus.ARCHIVED, is_stocked, available <= threshold
    )


# --- Levels ------------------------------------------------------------------------------


def lock_levels(session: Session, product_ids: Collection[UUID]) -> dict[Key, Balance]:
    """All levels of these products; they stay as they are until the transaction ends."""
    rows = session.execute(_LOCK_LEVELS, {"ids": list(product_ids)})
    return {(row[0], row[1]): Balance(row[2], row[3]) for row in rows}


def open_levels(session: Session, keys: Iterable[Key]) -> None:
    """Make levels that are not there yet, with nothing on them."""
    rows = [
        {"product_id": product_id, "location": location, "on_hand": 0, "reserved": 0}
        for product_id, location in sorted(keys)
    ]
    session.execute(insert(Level).on_conflict_do_nothing(), rows)


def add_levels(session: Session, levels: Mapping[Key, Balance]) -> None:
    """Make the levels of products that this very transaction makes."""
    for (product_id, location), it in levels.items():
        row = {"product_id": product_id, "location": location}
        counters = {"on_hand": it.on_hand, "reserved": it.reserved}
        batch.leave(session, _INSERT_LEVEL, row | counters)


def change_levels(session: Session, changes: Mapping[Key, tuple[int, int]]) -> None:
    """Add to what is on hand and to what is reserved, at all these levels in one statement."""
    product_ids, locations = zip(*changes, strict=True)
    on_hand, reserved = zip(*changes.values(), strict=True)
    values = {
        "ids": list(product_ids),
        "locations": list(locations),
        "on_hand": list(on_hand),
        "reserved": list(reserved),
    }
    batch.leave(session, _CHANGE_LEVELS, values)


def levels_of(session: Session, product_id: UUID) -> dict[str, Balance]:
    """By location, without what is overdue: one moment, in one statement."""
    overdue = (
        _overdue_lines(func.sum(ReservationLine.quantity))
        .where(
            ReservationLine.product_id == Level.product_id,
            ReservationLine.location == Level.location,
        )
        .correlate(Level)
    )
    statement = (
        select(Level.location, Level.on_hand, Level.reserved - _total(overdue))
        .where(Level.product_id == product_id)
        .order_by(Level.location)
    )
    return {row[0]: Balance(row[1], row[2]) for row in session.execute(statement)}


# --- The ledger --------------------------------------------------------------------------


def add_movements(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.leave(session, _INSERT_MOVEMENT, *rows)


def movements_of(product_id: UUID, filters: MovementFilters) -> Select[tuple[Movement]]:
    conditions = [getattr(Movement, name) == value for name, value in filters.items()]
    return select(Movement).where(Movement.product_id == product_id, *conditions)


def newest_movements(session: Session, product_id: UUID, most: int) -> Sequence[Movement]:
    """The last ones, oldest first."""
    statement = movements_of(product_id, {}).order_by(Movement.sequence.desc()).limit(most)
    return session.scalars(statement).all()[::-1]


def imported(
    session: Session, product_ids: Collection[UUID], references: Collection[str]
) -> Sequence[Movement]:
    """Movements that came from files, under these references."""
    statement = select(Movement).where(
        Movement.reference == any_(cast(list(references), ARRAY(String))),
        Movement.product_id == any_(_uuids(product_ids)),
        Movement.ordinal.is_not(None),
    )
    return session.scalars(statement).all()


def changes_by_step(
    session: Session, product_id: UUID, step: str, before: datetime
) -> Sequence[Row[tuple[datetime, int]]]:
    """How much the product's stock changed in each hour, day, week or month (UTC) that saw a
    movement, by the time at which it occurred.
    """
    start = func.date_trunc(step, Movement.occurred_at, "UTC").label("start")
    statement = (
        select(start, cast(func.sum(Movement.change), BigInteger))
        .where(Movement.product_id == product_id, Movement.occurred_at < before)
        .group_by(start)
        .order_by(start)
    )
    return session.execute(statement).all()


def count_of_actor(session: Session, user_id: UUID) -> int:
    statement = select(func.count()).select_from(Movement).where(Movement.actor_id == user_id)
    return session.scalar(statement) or 0


# --- Reservations ------------------------------------------------------------------------


def lock_reservation(session: Session, reservation_id: UUID) -> Reservation | None:
    """The reservation with its lines; it stays as it is until the transaction ends."""
    return session.get(Reservation, reservation_id, options=_WITH_LINES, with_for_update=True)


def add_reservation(session: Session, reservation: Reservation) -> None:
    batch.leave(session, _INSERT_RESERVATION, row_of(reservation))
    batch.leave(session, _INSERT_LINE, *map(row_of, reservation.lines))


def get_reservation(session: Session, reservation_id: UUID) -> Reservation | None:
    return session.get(Reservation, reservation_id, options=_WITH_LINES)


def matching_reservations(filters: ReservationFilters) -> Select[tuple[Reservation]]:
    statement = select(Reservation).options(*_WITH_LINES)
    if "user_id" in filters:
        statement = statement.where(Reservation.user_id == filters["user_id"])
    if status := filters.get("status"):
        is_overdue = IS_HELD & (Reservation.expires_at <= now())
        # As a reader has to see it: what is overdue has expired.
        conditions = {
            ReservationStatus.HELD: IS_HELD & ~is_overdue,
            ReservationStatus.EXPIRED: is_overdue | (Reservation.status == status),
        }
        statement = statement.where(conditions.get(status, Reservation.status == status))
    return statement


def has_overdue(session: Session, product_ids: Collection[UUID]) -> bool:
    """Whether pieces of one of these products are promised for a time that is up."""
    lines = _overdue_lines(literal(1)).where(
        ReservationLine.product_id == any_(_uuids(product_ids))
    )
    return session.scalar(lines.limit(1)) is not None


def lock_overdue(
    session: Session, most: int, product_ids: Collection[UUID] | None = None
) -> Sequence[Reservation]:
    """Reservations whose time is up, with their lines.

    :param product_ids: only those that hold one of these, and all of them: whoever else is at one
        is waited for.
    """
    statement = select(Reservation).options(*_WITH_LINES).where(*_is_overdue())
    if product_ids is not None:
        of_products = select(ReservationLine.reservation_id).where(
            ReservationLine.product_id == any_(_uuids(product_ids))
        )
        statement = statement.where(Reservation.id.in_(of_products))
    statement = statement.order_by(Reservation.id).limit(most)
    locking = statement.with_for_update(skip_locked=product_ids is None)
    return session.scalars(locking.execution_options(populate_existing=True)).all()


def reservations_of(session: Session, user_id: UUID) -> Sequence[Reservation]:
    statement = matching_reservations({"user_id": user_id}).order_by(Reservation.id)
    return session.scalars(statement).all()


# --- Locations ---------------------------------------------------------------------------


def known_locations(session: Session, codes: Collection[str]) -> set[str]:
    statement = select(Location.code).where(Location.code == any_(cast(list(codes), ARRAY(String))))
    return set(session.scalars(statement))


_WITH_LINES = (selectinload(Reservation.lines),)


def _is_overdue() -> tuple[ColumnElement[bool], ...]:
    # Asked when the statement runs, which may have been written out long before.
    moment = bindparam("this_moment", callable_=now, type_=DateTime(timezone=True))
    return (IS_HELD, Reservation.expires_at <= moment)


def _overdue_lines(what: ColumnElement[Any]) -> Select[Any]:
    lines = select(what).select_from(Reservation)
    return lines.join(ReservationLine, ReservationLine.reservation_id == Reservation.id).where(
        *_is_overdue()
    )


def _total(sums: Select[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(sums.scalar_subquery(), literal(0)), BigInteger)


def _uuids(values: Collection[UUID]) -> ColumnElement[Any]:
    return cast(list(values), ARRAY(Uuid()))


# --- Statements that every sale sends: written once, and on tables, which costs less time than to
# --- have them made of mapped classes each time.

_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_PRODUCTS, _LEVELS = table_of(Product).c, table_of(Level).c
_INSERT_LEVEL, _INSERT_MOVEMENT = insert(table_of(Level)), insert(table_of(Movement))
_INSERT_RESERVATION = insert(table_of(Reservation))
_INSERT_LINE = insert(table_of(ReservationLine))
_FACTS = select(_PRODUCTS.id, _PRODUCTS.sku, _PRODUCTS.status, _PRODUCTS.low_stock_threshold)
_ITEMS_BY_ID = _FACTS.where(_PRODUCTS.id == any_(_IDS))
_ITEMS_BY_SKU = _FACTS.where(
    func.lower(_PRODUCTS.sku) == any_(bindparam("skus", type_=ARRAY(String))),
    _PRODUCTS.status != ProductStatus.ARCHIVED,
)
# In key order: two changes that share levels would otherwise deadlock.
_LOCK_LEVELS = (
    select(_LEVELS.product_id, _LEVELS.location, _LEVELS.on_hand, _LEVELS.reserved)
    .where(_LEVELS.product_id == any_(_IDS))
    .order_by(_LEVELS.product_id, _LEVELS.location)
    .with_for_update()
)
_CHANGE = (
    func.unnest(
        _IDS,
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
_CHANGE_LEVELS = (
    update(table_of(Level))
    .where(_LEVELS.product_id == _CHANGE.product_id, _LEVELS.location == _CHANGE.location)
    .values(on_hand=_LEVELS.on_hand + _CHANGE.on_hand, reserved=_LEVELS.reserved + _CHANGE.reserved)
)

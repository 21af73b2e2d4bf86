"""Reservations and their lines."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, any_, bindparam, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from stockroom.core.database import now, row_of, table_of
from stockroom.core.pagination import Keyset
from stockroom.core.sql import batch
from stockroom.stock.filters import ReservationFilters
from stockroom.stock.models import Reservation, ReservationLine, ReservationStatus
from stockroom.stock.repository.expressions import uuids

NEWEST_FIRST = Keyset("newest", None, Reservation.id, descending=True)

IS_HELD = Reservation.status == ReservationStatus.HELD

_INSERT = insert(table_of(Reservation))
_INSERT_LINE = insert(table_of(ReservationLine))
_WITH_LINES = (selectinload(Reservation.lines),)


def lock(session: Session, reservation_id: UUID) -> Reservation | None:
    """The reservation with its lines; it stays as it is until the transaction ends."""
    return session.get(Reservation, reservation_id, options=_WITH_LINES, with_for_update=True)


def add(session: Session, reservation: Reservation) -> None:
    batch.leave(session, _INSERT, row_of(reservation))
    batch.leave(session, _INSERT_LINE, *map(row_of, reservation.lines))


def get(session: Session, reservation_id: UUID) -> Reservation | None:
    return session.get(Reservation, reservation_id, options=_WITH_LINES)


def matching(filters: ReservationFilters) -> Select[tuple[Reservation]]:
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
    lines = overdue_lines(literal(1)).where(ReservationLine.product_id == any_(uuids(product_ids)))
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
            ReservationLine.product_id == any_(uuids(product_ids))
        )
        statement = statement.where(Reservation.id.in_(of_products))
    statement = statement.order_by(Reservation.id).limit(most)
    locking = statement.with_for_update(skip_locked=product_ids is None)
    return session.scalars(locking.execution_options(populate_existing=True)).all()


def of_user(session: Session, user_id: UUID) -> Sequence[Reservation]:
    statement = matching({"user_id": user_id}).order_by(Reservation.id)
    return session.scalars(statement).all()


def is_any_overdue() -> ColumnElement[bool]:
    """Whether there is any to be given back, of whatever product."""
    return select(Reservation.id).where(*_is_overdue()).exists()


def overdue_lines(what: ColumnElement[Any]) -> Select[Any]:
    lines = select(what).select_from(Reservation)
    return lines.join(ReservationLine, ReservationLine.reservation_id == Reservation.id).where(
        *_is_overdue()
    )


def _is_overdue() -> tuple[ColumnElement[bool], ...]:
    # Asked when the statement runs, which may have been written out long before.
    moment = bindparam("this_moment", callable_=now, type_=DateTime(timezone=True))
    return (IS_HELD, Reservation.expires_at <= moment)

"""Movements: the ledger of all that has happened to stock."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, String, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from stockroom.core.database import table_of
from stockroom.core.pagination import Keyset
from stockroom.core.sql import batch
from stockroom.stock.filters import MovementFilters
from stockroom.stock.models import Movement
from stockroom.stock.repository.expressions import uuids

NEWEST_FIRST = Keyset(
    "newest", Movement.sequence.expression, Movement.id, descending=True, parse=int
)

_INSERT = insert(table_of(Movement))


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    batch.leave(session, _INSERT, *rows)


def of(product_id: UUID, filters: MovementFilters) -> Select[tuple[Movement]]:
    conditions = [getattr(Movement, name) == value for name, value in filters.items()]
    return select(Movement).where(Movement.product_id == product_id, *conditions)


def newest(session: Session, product_id: UUID, most: int) -> Sequence[Movement]:
    """The last ones, oldest first."""
    statement = of(product_id, {}).order_by(Movement.sequence.desc()).limit(most)
    return session.scalars(statement).all()[::-1]


def imported(
    session: Session, product_ids: Collection[UUID], references: Collection[str]
) -> Sequence[Movement]:
    """Movements that came from files, under these references."""
    statement = select(Movement).where(
        Movement.reference == any_(cast(list(references), ARRAY(String))),
        Movement.product_id == any_(uuids(product_ids)),
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

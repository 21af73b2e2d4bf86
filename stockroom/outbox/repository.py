"""Every query on events and cursors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from stockroom.core.database import table_of
from stockroom.core.sql import batch
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.models import Cursor, Event

RELAY = "relay"

_INSERT = insert(table_of(Event))


def add(session: Session, events: Sequence[Mapping[str, Any]]) -> None:
    batch.leave(session, _INSERT, *events)


def lock_relay(session: Session, sinks: Sequence[str]) -> int:
    """The newest position; nobody else gives one until the transaction ends.

    A sink that is new begins here, with the events to come.
    """
    names = [RELAY, *sinks]
    known = set(session.scalars(select(Cursor.name).where(Cursor.name.in_(names))))
    if RELAY not in known:
        newest = select(func.coalesce(func.max(Event.position), 0)).scalar_subquery()
        _begin(session, [RELAY], newest)
    position = lock_cursor(session, RELAY)
    if new := sorted(set(sinks) - known):
        _begin(session, new, literal(position))
    return position


def lock_cursor(session: Session, name: str) -> int:
    statement = select(Cursor.position).where(Cursor.name == name).with_for_update()
    return session.execute(statement).scalar_one()


def move_cursor(session: Session, name: str, position: int) -> None:
    session.execute(update(Cursor).where(Cursor.name == name).values(position=position))


def give_positions(session: Session, after: int, most: int) -> int:
    """Number the committed events that have no position yet; returns how many there were."""
    # In the order of recording, which is the last thing that a transaction does before its commit.
    waiting = (
        select(Event.id, Event.sequence)
        .where(Event.position.is_(None))
        .order_by(Event.sequence)
        .limit(most)
        .subquery()
    )
    place = func.row_number().over(order_by=waiting.c.sequence)
    numbered = select(waiting.c.id, place.label("place")).subquery()
    statement = (
        update(Event)
        .where(Event.id == numbered.c.id)
        .values(position=numbered.c.place + after)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]


def newest_position(session: Session) -> int:
    return session.scalar(select(Cursor.position).where(Cursor.name == RELAY)) or 0


def oldest_position(session: Session) -> int | None:
    """The position of the oldest event that is kept; None if there is none."""
    return session.scalar(select(func.min(Event.position)))


def read(
    session: Session, after: int, through: int, limit: int, filters: EventFilters
) -> Sequence[Event]:
    """Events by position, with ``after`` < position ≤ ``through``."""
    return session.scalars(
        select(Event)
        .where(Event.position > after, Event.position <= through, *_conditions(filters))
        .order_by(Event.position)
        .limit(limit)
    ).all()


def read_newest(session: Session, limit: int, filters: EventFilters) -> Sequence[Event]:
    """The last events that have a position, oldest first."""
    statement = (
        select(Event)
        .where(Event.position.is_not(None), *_conditions(filters))
        .order_by(Event.position.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()[::-1]


def matching_types(patterns: Sequence[str]) -> ColumnElement[bool]:
    """The condition that one of the patterns chooses the event's type."""
    exact = [pattern for pattern in patterns if "*" not in pattern]
    prefixes = [pattern.removesuffix("*") for pattern in patterns if pattern.endswith(".*")]
    if "*" in patterns:
        return Event.id.is_not(None)
    # An underscore is a letter here, and not LIKE's sign for any letter.
    begins = (Event.type.startswith(prefix, autoescape=True) for prefix in prefixes)
    return or_(Event.type.in_(exact), *begins)


def about(session: Session, user_id: UUID) -> Sequence[Event]:
    """What a person did, and what was done to the account, oldest first."""
    statement = select(Event).where(_concerns(user_id)).order_by(Event.sequence)
    return session.scalars(statement).all()


def forget_addresses(session: Session, user_id: UUID) -> None:
    """Keep what a person did, and what nobody else did to the account, but not where from."""
    is_theirs = func.coalesce(Event.actor_id, Event.subject) == user_id
    # The first condition has an index for each of its halves.
    statement = update(Event).where(_concerns(user_id), is_theirs, Event.address.is_not(None))
    session.execute(statement.values(address=None).execution_options(synchronize_session=False))


def oldest_waiting(session: Session) -> datetime | None:
    """When the oldest event happened that has no position yet; None if none waits."""
    return session.scalar(select(func.min(Event.occurred_at)).where(Event.position.is_(None)))


def lowest_cursor(session: Session, sinks: Sequence[str]) -> int:
    """The position that the relay and all of these sinks have passed."""
    names = [RELAY, *sinks]
    passed = session.scalars(select(Cursor.position).where(Cursor.name.in_(names))).all()
    # A sink without a cursor has not begun.
    return min(passed) if len(passed) == len(names) else 0


def remove(session: Session, before: datetime, through: int, most: int) -> int:
    """Remove the oldest events, up to the first that is to stay; returns how many."""
    front = (
        select(Event.position, Event.occurred_at)
        .where(Event.position <= through)
        .order_by(Event.position)
        .limit(most)
        .subquery()
    )
    # An event may have happened before another and been committed after it. None is removed from
    # between others: whoever reads on would not be told of the gap.
    stays = select(func.min(front.c.position)).where(front.c.occurred_at >= before)
    end = func.coalesce(stays.scalar_subquery(), through + 1)
    old = select(front.c.position).where(front.c.position < end)
    statement = delete(Event).where(Event.position.in_(old))
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount  # type: ignore[attr-defined,no-any-return]


def _begin(session: Session, names: Sequence[str], position: ColumnElement[int]) -> None:
    """Make cursors, unless somebody else just did."""
    rows = [{"name": name, "position": position} for name in names]
    session.execute(upsert(Cursor).values(rows).on_conflict_do_nothing())


def _concerns(user_id: UUID) -> ColumnElement[bool]:
    return or_(Event.actor_id == user_id, Event.subject == user_id)


def _conditions(filters: EventFilters) -> list[ColumnElement[bool]]:
    conditions = []
    if filters.types:
        conditions.append(matching_types(filters.types))
    if filters.subject is not None:
        conditions.append(Event.subject == filters.subject)
    if filters.actor is not None:
        conditions.append(Event.actor_id == filters.actor)
    if filters.since is not None:
        conditions.append(Event.occurred_at >= filters.since)
    if filters.until is not None:
        conditions.append(Event.occurred_at < filters.until)
    if filters.public_only:
        conditions.append(Event.is_public.is_(True))
    return conditions

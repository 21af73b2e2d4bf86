"""Recording what happened, and reading it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.background.wakeups import wake
from stockroom.core.context import Actor, actor, client_address
from stockroom.core.database import new_id, now
from stockroom.core.logging import request_id
from stockroom.core.transaction import before_commit, reading, snapshot
from stockroom.outbox import repository
from stockroom.outbox.errors import EventsExpired
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.models import Event
from stockroom.outbox.types import EventType

RELAY_JOB = "outbox.relay"
_RECORDED = "recorded_events"


@dataclass(frozen=True, slots=True)
class News:
    """Some events, by position, and the position up to which there are no others that match."""

    items: Sequence[Event]
    last_position: int


def record(
    session: Session,
    event_type: EventType,
    subject: UUID,
    data: dict[str, Any],
    *,
    is_public: bool = False,
    by: Actor | None = None,
) -> UUID:
    """Tell of a change in the transaction that makes it, with the actor and the request.

    Returns the event's id; its row is written at the end of the transaction.

    :param subject: the id of what it is about.
    :param data: a JSON object. It is kept for long and read by many: no secret, and nothing on a
        person but ids.
    :param is_public: whether every account may read it, and not staff alone.
    :param by: who does it, where that is not whoever sends the request, as before a login.
    """
    if _RECORDED not in session.info:
        session.info[_RECORDED] = []
        # Written last: events then lie in the order of the commits, and in one statement.
        before_commit(session, partial(_write, session))
    event_id, doer = new_id(), by or actor.get()
    event = {
        "id": event_id,
        "type": event_type,
        "subject": subject,
        "is_public": is_public,
        "occurred_at": now(),
        "actor_id": doer.user_id if doer else None,
        "session_id": doer.session_id if doer else None,
        "key_id": doer.key_id if doer else None,
        "address": client_address.get(),
        "request_id": request_id.get(),
        "data": data,
    }
    session.info[_RECORDED].append(event)
    return event_id


def read(after: int, limit: int, filters: EventFilters) -> News:
    """Events after a position that fit every filter, oldest first.

    :raises EventsExpired: if nobody can go on from the position.
    """
    with snapshot() as session:
        newest = repository.newest_position(session)
        require_known(session, after, newest)
        items = repository.read(session, after, newest, limit, filters)
    is_full = len(items) == limit
    return News(items, (items[-1].position or 0) if is_full else newest)


def newest(limit: int, filters: EventFilters) -> Sequence[Event]:
    """The last events that fit every filter, oldest first."""
    with reading() as session:
        return repository.read_newest(session, limit, filters)


def forget_addresses(session: Session, user_id: UUID) -> None:
    """Keep what a person did, and what nobody else did to the account, but not where from."""
    repository.forget_addresses(session, user_id)
    for event in session.info.get(_RECORDED, ()):
        if (event["actor_id"] or event["subject"]) == user_id:
            event["address"] = None


def newest_position() -> int:
    """The position up to which events can be read; 0 before the first."""
    with reading() as session:
        return repository.newest_position(session)


def require_known(session: Session, after: int, newest: int) -> None:
    """Make sure that one can go on from a position; 0 is before all that are kept.

    :param newest: as the database has it now. What a process keeps in its memory may be behind
        what another one has told the client of.
    :raises EventsExpired: if events after the position have been removed, or it is ahead of all.
    """
    oldest = repository.oldest_position(session) or newest + 1
    if after > newest or 0 < after < oldest - 1:
        detail = f"There is no way on from position {after}; the newest is {newest}."
        raise EventsExpired(detail, last_position=newest)


def _write(session: Session) -> None:
    repository.add(session, session.info.pop(_RECORDED))
    wake(session, RELAY_JOB)

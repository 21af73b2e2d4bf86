"""Every query on deliveries as work: adding, taking, finishing and giving them back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    String,
    Text,
    Uuid,
    cast,
    column,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.orm import Session, aliased

from stockroom.core.database import Base
from stockroom.outbox.models import Event
from stockroom.outbox.types import EventType
from stockroom.webhooks.models import Attempt, Delivery, DeliveryState, Webhook

_IN_SETS = {"synchronize_session": False}
"""Rows are changed by sets here; no object of the session stands for one of them."""

_IS_PENDING = Delivery.state == DeliveryState.PENDING

# RFC 9562, 5.7: the time takes the place of the first six bytes of a version 4, which is all that
# PostgreSQL makes, and two more bits make it a version 7.
_NEW_ID: ColumnElement[UUID] = literal_column(
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send("
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),"
    " 52, 1), 53, 1), 'hex')::uuid"
)


def add_matching(session: Session, after: int, through: int) -> int:
    """Add a delivery for each of these events and each endpoint that waits for it; how many."""
    every_one = func.split_part(Event.type, ".", 1) + ".*"
    chosen_by = cast(array([Event.type, every_one, literal("*")]), ARRAY(String))
    matches = (
        select(
            _NEW_ID,
            Webhook.id,
            Event.id,
            Event.position,
            literal(DeliveryState.PENDING, Delivery.state.type),
            literal(0),
            literal(0),
            func.clock_timestamp(),
            func.clock_timestamp(),
        )
        .select_from(Event)
        .join(Webhook, Webhook.events.op("&&")(chosen_by) & Webhook.is_active)
        # That of a test was added together with the event, for the one endpoint it is about.
        .where(*_between(after, through), Event.type != EventType.WEBHOOK_TESTED)
        .order_by(Webhook.id, Event.position)
        # Whoever switches one off has it locked and fails what it finds: this waits, and judges
        # anew. In the order in which everybody locks webhooks, or two would deadlock.
        .with_for_update(read=True, of=Webhook)
    )
    names = [
        *("id", "webhook_id", "event_id", "position", "state"),
        *("attempts", "claim", "due_at", "created_at"),
    ]
    return _count(session, insert(Delivery).from_select(names, matches))


def give_positions(session: Session, after: int, through: int) -> int:
    """Let deliveries of these events go that were added before the relay; returns how many."""
    return _count(
        session,
        update(Delivery)
        .where(Delivery.event_id == Event.id, Delivery.position.is_(None))
        .where(*_between(after, through), Event.type == EventType.WEBHOOK_TESTED)
        .values(position=Event.position),
    )


def oldest_pending(session: Session) -> int | None:
    """The position of the oldest event that has a delivery to come."""
    return session.scalar(select(func.min(Delivery.position)).where(_IS_PENDING))


def due_webhooks(session: Session, moment: datetime) -> Sequence[Webhook]:
    """Those to which something is to be sent now."""
    is_due = exists().where(Delivery.webhook_id == Webhook.id, *_due(Delivery, moment))
    return session.scalars(select(Webhook).where(Webhook.is_active, is_due)).all()


def claim(
    session: Session, most: Mapping[UUID, int], moment: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Take due deliveries, the oldest first; nobody else takes them before ``until``.

    :param most: how many for each webhook.
    """
    wanted = (
        func.unnest(cast(list(most), ARRAY(Uuid)), cast(list(most.values()), ARRAY(Integer)))
        .table_valued(column("webhook_id", Uuid), column("most", Integer))
        .render_derived(name="wanted")
    )
    one = aliased(Delivery)
    of_one_webhook = (
        select(one.id)
        .where(one.webhook_id == wanted.c.webhook_id, *_due(one, moment))
        .order_by(one.due_at, one.position)
        .limit(wanted.c.most)
        .with_for_update(skip_locked=True)
        .lateral("of_one_webhook")
    )
    picked = select(of_one_webhook.c.id).select_from(wanted.join(of_one_webhook, true())).cte()
    statement = (
        update(Delivery)
        .where(Delivery.id == picked.c.id)
        .values(due_at=until, claim=Delivery.claim + 1)
        .returning(
            *(Delivery.id, Delivery.claim, Delivery.webhook_id, Delivery.event_id),
            *(Delivery.position, Delivery.attempts, Delivery.created_at),
        )
        .execution_options(**_IN_SETS)
    )
    return sorted(session.execute(statement), key=lambda row: row.position)


def events(session: Session, event_ids: Iterable[UUID]) -> Sequence[Event]:
    return session.scalars(select(Event).where(Event.id.in_(event_ids))).all()


def finish(session: Session, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Log attempts, and note on each delivery what comes of it, unless somebody else has it now.

    :param outcomes: JSON objects that name columns of attempts and deliveries, and ``claim``.
    """
    rows = func.jsonb_to_recordset(cast(literal(json.dumps(outcomes), Text), JSONB))
    given = rows.table_valued(
        *(_typed(Attempt, name) for name in _ATTEMPT),
        *(_typed(Delivery, name) for name in ("claim", "state", "due_at", "finished_at")),
    ).render_derived(name="given", with_types=True)
    logged = (
        select(*(given.c[name] for name in _ATTEMPT))
        .join(Delivery, Delivery.id == given.c.delivery_id)
        # What was removed meanwhile has no log any more.
        .with_for_update(key_share=True, read=True, of=Delivery)
    )
    session.execute(insert(Attempt).from_select(_ATTEMPT, logged))
    session.execute(
        update(Delivery)
        .where(Delivery.id == given.c.delivery_id, Delivery.claim == given.c.claim, _IS_PENDING)
        .values(
            {name: given.c[name] for name in ("state", "due_at", "finished_at", "status", "error")}
        )
        .values(attempts=Delivery.attempts + 1)
        .execution_options(**_IN_SETS)
    )


_ATTEMPT = [
    *("id", "delivery_id", "started_at", "milliseconds"),
    *("status", "error", "request_headers", "response"),
]


def give_back(session: Session, claims: Iterable[tuple[UUID, int]], moment: datetime) -> None:
    """Let others take these at once; whoever comes back with such a claim is too late."""
    statement = (
        update(Delivery)
        .where(tuple_(Delivery.id, Delivery.claim).in_(claims), _IS_PENDING)
        .values(due_at=moment, claim=Delivery.claim + 1)
    )
    session.execute(statement.execution_options(**_IN_SETS))


def give_up(session: Session, webhook_id: UUID, reason: str, moment: datetime) -> None:
    """Fail all that is still to be sent to the webhook."""
    statement = (
        update(Delivery)
        .where(Delivery.webhook_id == webhook_id, _IS_PENDING)
        .values(state=DeliveryState.FAILED, finished_at=moment, error=reason)
    )
    session.execute(statement.execution_options(**_IN_SETS))


def _between(after: int, through: int) -> tuple[ColumnElement[bool], ...]:
    return Event.position > after, Event.position <= through


def _due(of: type[Delivery], moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return of.state == DeliveryState.PENDING, of.position.is_not(None), of.due_at <= moment


def _typed(table: type[Base], name: str) -> Any:
    return column(name, table.__table__.c[name].type)


def _count(session: Session, statement: Any) -> int:
    return session.execute(statement.execution_options(**_IN_SETS)).rowcount  # type: ignore[attr-defined,no-any-return]

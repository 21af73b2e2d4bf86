"""The events of a test, and the relay that a test turns itself."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from stockroom.core.database import new_id
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.models import Event
from stockroom.outbox.relay import relay
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType


def all_events(app: Flask) -> Sequence[Event]:
    """Every event, in the order of recording."""
    with app.app_context(), reading() as session:
        return session.scalars(select(Event).order_by(Event.sequence)).all()


def types_of(app: Flask, subject: UUID) -> list[str]:
    """The types of the events about it, in the order of recording."""
    return [event.type for event in all_events(app) if event.subject == subject]


def last_event(app: Flask) -> Event:
    return all_events(app)[-1]


def record_some(
    app: Flask,
    number: int = 1,
    *,
    event_type: EventType = EventType.PRODUCT_UPDATED,
    subject: UUID | None = None,
    **how: Any,
) -> None:
    """Record events in one transaction."""
    with app.app_context(), transaction() as session:
        for _ in range(number):
            record(session, event_type, subject or new_id(), {}, **how)


def relay_all(app: Flask) -> None:
    with app.app_context():
        relay()


def positions(app: Flask) -> list[int | None]:
    return [event.position for event in all_events(app)]

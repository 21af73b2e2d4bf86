"""Every query on webhooks and the log of their deliveries; ``queue`` has those on due work."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from stockroom.core.pagination import Keyset
from stockroom.outbox.models import Event
from stockroom.webhooks.errors import DeliveryNotFound, WebhookNotFound
from stockroom.webhooks.models import Delivery, DeliveryState, Webhook

NEWEST_FIRST = Keyset("-created_at", None, Webhook.id, descending=True)
# Their ids are made by the database, and tell no order within a millisecond.
NEWEST_DELIVERIES_FIRST = Keyset(
    "-created_at",
    Delivery.__table__.c.created_at,
    Delivery.id,
    descending=True,
    parse=datetime.fromisoformat,
)


def get(session: Session, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """:raises WebhookNotFound: if there is none."""
    webhook = session.get(Webhook, webhook_id, with_for_update=lock or None)
    if webhook is None:
        raise WebhookNotFound
    return webhook


def matching(*, is_active: bool | None = None) -> Select[tuple[Webhook]]:
    statement = select(Webhook)
    return statement if is_active is None else statement.where(Webhook.is_active.is_(is_active))


def lock_all(session: Session) -> Sequence[Webhook]:
    return session.scalars(select(Webhook).order_by(Webhook.id).with_for_update()).all()


def lock_judged(
    session: Session, well: Collection[UUID], ill: Collection[UUID]
) -> Sequence[Webhook]:
    """Those of the well that were failing, and those of the ill that are active.

    They stay as they are until the transaction ends.
    """
    recovers = Webhook.id.in_(well) & Webhook.failing_since.is_not(None)
    fails = Webhook.id.in_(ill) & Webhook.is_active
    statement = select(Webhook).where(recovers | fails).order_by(Webhook.id)
    return session.scalars(statement.with_for_update()).all()


def deliveries_of(webhook_id: UUID, state: DeliveryState | None = None) -> Select[tuple[Delivery]]:
    statement = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if state is not None:
        statement = statement.where(Delivery.state == state)
    return statement.options(joinedload(Delivery.event, innerjoin=True))


def find_delivery(session: Session, delivery_id: UUID) -> Delivery:
    """:raises DeliveryNotFound: if there is none."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise DeliveryNotFound
    return delivery


def get_delivery(session: Session, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """A delivery of the webhook with its event and its attempts.

    :raises DeliveryNotFound: if it has none such.
    """
    statement = deliveries_of(webhook_id).where(Delivery.id == delivery_id)
    delivery = session.scalar(statement.options(selectinload(Delivery.tries)))
    if delivery is None:
        raise DeliveryNotFound
    return delivery


def hold_event(session: Session, webhook_id: UUID, delivery_id: UUID) -> Event:
    """The event of a delivery of the webhook. What it is now, it is until the transaction ends.

    :raises DeliveryNotFound: if it has none such.
    """
    event = session.scalar(
        select(Event)
        .join(Delivery, Delivery.event_id == Event.id)
        .where(Delivery.webhook_id == webhook_id, Delivery.id == delivery_id)
        .with_for_update(read=True, of=Event)
    )
    if event is None:
        raise DeliveryNotFound
    return event

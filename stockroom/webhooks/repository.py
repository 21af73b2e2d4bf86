"""Every query on webhooks and the log of their deliveries; ``queue`` has those on due work."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from stockroom.core.database import now
from stockroom.core.pagination import Keyset
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


def lock_failing(session: Session, webhook_ids: Iterable[UUID]) -> Sequence[Webhook]:
    """Those of the webhooks that are active; they stay as they are until the transaction ends."""
    return session.scalars(
        select(Webhook)
        .where(Webhook.id.in_(webhook_ids), Webhook.is_active)
        .order_by(Webhook.id)
        # Not against new deliveries, which only need to know that the webhook stays.
        .with_for_update(key_share=True)
    ).all()


def recover(session: Session, webhook_ids: Iterable[UUID]) -> None:
    """Note of these that they do not fail (any more)."""
    statement = update(Webhook).where(
        Webhook.id.in_(webhook_ids), Webhook.failing_since.is_not(None)
    )
    values = {"failing_since": None, "version": Webhook.version + 1, "updated_at": now()}
    session.execute(statement.values(values).execution_options(synchronize_session=False))


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

"""What can be done with the deliveries of a webhook: look at them, and ask for more."""

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.background.wakeups import wake
from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.transaction import before_commit, reading, transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.webhooks import repository
from stockroom.webhooks.errors import WebhookNotActive
from stockroom.webhooks.models import Delivery, DeliveryState, Webhook
from stockroom.webhooks.news import state_of
from stockroom.webhooks.sink import DELIVER_JOB


def send_test(webhook_id: UUID, held_until: datetime | None = None) -> Delivery:
    """Send an event to this one endpoint, whatever it waits for.

    :param held_until: nobody sends it before, but who has asked for it.
    :raises WebhookNotFound: if there is none.
    :raises WebhookNotActive: if it is switched off.
    """
    with transaction() as session:
        webhook = _active(session, webhook_id)
        event_id = record(session, EventType.WEBHOOK_TESTED, webhook.id, state_of(webhook))
        delivery = Delivery(
            id=new_id(), webhook_id=webhook_id, event_id=event_id, due_at=held_until or now()
        )
        # After the event, which is written as the last thing of the transaction.
        before_commit(session, partial(session.add, delivery))
    return get(webhook_id, delivery.id)


def search(
    webhook_id: UUID, page: PageRequest, state: DeliveryState | None = None
) -> Page[Delivery]:
    """Newest first.

    :raises WebhookNotFound: if there is no such webhook.
    """
    with reading() as session:
        repository.get(session, webhook_id)
        statement = repository.deliveries_of(webhook_id, state)
        return read_page(session, statement, repository.NEWEST_DELIVERIES_FIRST, page)


def get(webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """A delivery with its event and its attempts.

    :raises DeliveryNotFound: if the webhook has none such.
    """
    with reading() as session:
        return repository.get_delivery(session, webhook_id, delivery_id)


def find(delivery_id: UUID) -> Delivery:
    """:raises DeliveryNotFound: if there is none."""
    with reading() as session:
        return repository.find_delivery(session, delivery_id)


def redeliver(webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """Send the event of a delivery once more: another delivery, with the same ``webhook-id``.

    :raises WebhookNotFound: if there is no such webhook.
    :raises DeliveryNotFound: if it has no such delivery.
    :raises WebhookNotActive: if it is switched off.
    """
    with transaction() as session:
        _active(session, webhook_id)
        # One without a position gets none before the commit, and the sink then finds this delivery.
        event = repository.hold_event(session, webhook_id, delivery_id)
        again = Delivery(
            id=new_id(), webhook_id=webhook_id, event_id=event.id, position=event.position
        )
        session.add(again)
        wake(session, DELIVER_JOB)
    return get(webhook_id, again.id)


def _active(session: Session, webhook_id: UUID) -> Webhook:
    """The webhook, which stays as it is until the transaction ends."""
    webhook = repository.get(session, webhook_id, lock=True)
    if not webhook.is_active:
        raise WebhookNotActive
    return webhook

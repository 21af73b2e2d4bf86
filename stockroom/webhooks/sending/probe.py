"""A test that is sent at once, by the process that asks for it."""

from datetime import timedelta
from uuid import UUID

from stockroom.core.database import now
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.relay import relay
from stockroom.webhooks import deliveries, repository
from stockroom.webhooks.sending import outcomes
from stockroom.webhooks.sending.attempt import Result, Sender
from stockroom.webhooks.sending.dispatcher import LEASE_SECONDS
from stockroom.webhooks.sending.parcels import of_delivery


def send_now(webhook_id: UUID, sender: Sender) -> Result:
    """Send a test event, and wait for what comes back, which is recorded as usual.

    :raises WebhookNotFound: if there is none.
    :raises WebhookNotActive: if it is switched off.
    """
    # Taken from the beginning: a process that serves leaves it alone.
    held_until = now() + timedelta(seconds=2 * LEASE_SECONDS)
    delivery = deliveries.send_test(webhook_id, held_until)
    # An event is complete once it has its position, which whoever comes first may give it.
    relay()
    with reading() as session:
        webhook = repository.get(session, webhook_id)
        held = repository.get_delivery(session, webhook_id, delivery.id)
    result = sender.send(of_delivery(held, webhook, held.event))
    with transaction() as session:
        outcomes.record(session, [result])
    return result

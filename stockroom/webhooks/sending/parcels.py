"""Deliveries that this process has taken, with all that it needs to send them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.database import now
from stockroom.core.encryption import Undecipherable, decrypt
from stockroom.outbox.document import document_of
from stockroom.outbox.models import Event
from stockroom.webhooks.models import Delivery, Webhook
from stockroom.webhooks.sending import queue
from stockroom.webhooks.signatures import key_of


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt to come.

    :ivar keys: what it is signed with; none if the secrets cannot be read.
    :ivar attempts: how many there have been.
    """

    delivery_id: UUID
    claim: int
    webhook_id: UUID
    url: str
    event_id: UUID
    body: bytes
    keys: Sequence[bytes]
    attempts: int
    created_at: datetime


def take(
    session: Session,
    webhooks: Sequence[Webhook],
    most: Mapping[UUID, int],
    moment: datetime,
    until: datetime,
) -> list[Parcel]:
    """Take what is due for these webhooks, so many for each, until then."""
    rows = queue.claim(session, most, moment, until)
    # Each body is written once, and each secret decrypted once, for all of them.
    events = queue.events(session, {row.event_id for row in rows}) if rows else ()
    bodies = {event.id: body_of(event) for event in events}
    by_id = {webhook.id: webhook for webhook in webhooks}
    keys = {key: keys_of(by_id[key], moment) for key in {row.webhook_id for row in rows}}
    return [
        Parcel(
            delivery_id=row.id,
            claim=row.claim,
            webhook_id=row.webhook_id,
            url=by_id[row.webhook_id].url,
            event_id=row.event_id,
            body=bodies[row.event_id],
            keys=keys[row.webhook_id],
            attempts=row.attempts,
            created_at=row.created_at,
        )
        for row in rows
    ]


def of_delivery(delivery: Delivery, webhook: Webhook, event: Event) -> Parcel:
    """The parcel of a delivery that nobody else will take."""
    return Parcel(
        delivery_id=delivery.id,
        claim=delivery.claim,
        webhook_id=webhook.id,
        url=webhook.url,
        event_id=event.id,
        body=body_of(event),
        keys=keys_of(webhook, now()),
        attempts=delivery.attempts,
        created_at=delivery.created_at,
    )


def body_of(event: Event) -> bytes:
    """The event as it is sent: the same bytes each time, as a receiver may compare them."""
    document = document_of(event)
    text = json.dumps(
        document | {"timestamp": document["occurred_at"]},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return text.encode()


def keys_of(webhook: Webhook, moment: datetime) -> Sequence[bytes]:
    """The keys that are valid at the moment, the newest first."""
    tokens = [webhook.secret]
    if webhook.previous_secret and (webhook.previous_secret_until or moment) > moment:
        tokens.append(webhook.previous_secret)
    try:
        return [key_of(decrypt(token)) for token in tokens]
    except Undecipherable:
        return []

"""An event as it is shown: over REST, in a stream, in a webhook, on a terminal."""

from typing import Any

from stockroom.outbox.models import Event

NOT_FOR_EVERYBODY = ("actor", "request_id")
"""What is null for accounts that are no staff: who buys what is no business of theirs."""


def document_for_everybody(event: Event) -> dict[str, Any]:
    """The document of a public event as every account may read it."""
    return document_of(event) | dict.fromkeys(NOT_FOR_EVERYBODY)


def document_of(event: Event) -> dict[str, Any]:
    """The event's document, in values that JSON knows: what ``EventSchema`` dumps."""
    return {
        "id": str(event.id),
        "position": event.position,
        "type": event.type,
        "subject": str(event.subject),
        "occurred_at": event.occurred_at.isoformat(),
        "actor": str(event.actor_id) if event.actor_id else None,
        "request_id": event.request_id,
        "data": event.data,
    }

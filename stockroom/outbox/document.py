"""An event as everybody is shown it: over REST, in a stream, in a webhook, on a terminal."""

from typing import Any

from stockroom.outbox.models import Event


def document_of(event: Event) -> dict[str, Any]:
    """The event's public document, in values that JSON knows: what ``EventSchema`` dumps."""
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

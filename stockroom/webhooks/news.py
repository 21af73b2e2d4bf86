"""What events tell of a webhook."""

from typing import Any
from urllib.parse import urlsplit

from stockroom.webhooks.models import Webhook


def state_of(webhook: Webhook) -> dict[str, Any]:
    """Of the URL its host alone: the rest may hold what only its owner is to know."""
    return {
        "host": urlsplit(webhook.url).hostname or "",
        "events": webhook.events,
        "is_active": webhook.is_active,
    }

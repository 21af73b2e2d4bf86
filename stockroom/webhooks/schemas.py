from typing import Any

from marshmallow import fields

from stockroom.core.fields import Flag, Items, QueryFlag, Text
from stockroom.core.http.pages import PageQuery
from stockroom.core.schemas import BaseSchema
from stockroom.webhooks.fields import Pattern
from stockroom.webhooks.models import LONGEST_URL, Delivery, DeliveryState
from stockroom.webhooks.sending.parcels import body_of
from stockroom.webhooks.service import Issued

MOST_PATTERNS = 50


class WebhookSchema(BaseSchema):
    """An endpoint that is told of events. Its secret is shown only when it is made."""

    id = fields.UUID(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    description = fields.String(required=True, allow_none=True)
    is_active = fields.Boolean(required=True)
    disabled_reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it is switched off."}
    )
    failing_since = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "Since when every attempt has failed; null while all is well."},
    )
    previous_secret_until = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "Until when the secret before this one signs as well."},
    )
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class IssuedWebhookSchema(WebhookSchema):
    """A webhook with its new secret, which is shown this once."""

    secret = fields.String(
        required=True, metadata={"description": "Verifies signatures; keep it like a password."}
    )

    def get_attribute(self, obj: Issued, attr: str, default: Any) -> Any:
        return obj.secret if attr == "secret" else super().get_attribute(obj.webhook, attr, default)


class NewWebhookSchema(BaseSchema):
    url = Text(
        LONGEST_URL,
        required=True,
        metadata={
            "description": "https, at an address that is public.",
            "examples": ["https://shop.example/stockroom"],
        },
    )
    events = Items(
        Pattern(),
        most=MOST_PATTERNS,
        required=True,
        metadata={"description": "Types of events, `product.*` or `*`.", "examples": [["*"]]},
    )
    description = Text(500, allow_none=True)


class WebhookChangesSchema(NewWebhookSchema):
    is_active = Flag(metadata={"description": "Switching it on again forgets its failures."})


class WebhookQuery(PageQuery):
    is_active = QueryFlag()


class DeliverySchema(BaseSchema):
    """One event on its way to one endpoint."""

    id = fields.UUID(required=True)
    webhook_id = fields.UUID(required=True)
    event_id = fields.UUID(required=True, metadata={"description": "The header `webhook-id`."})
    type = fields.String(required=True, attribute="event.type")
    state = fields.Enum(DeliveryState, by_value=True, required=True)
    attempts = fields.Integer(required=True)
    due_at = fields.AwareDateTime(
        required=True, metadata={"description": "The next attempt, while it is pending."}
    )
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    status = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of the last answer, if any."}
    )
    error = fields.String(
        required=True, allow_none=True, metadata={"description": "Why the last attempt failed."}
    )


class AttemptSchema(BaseSchema):
    """One request, and what came back."""

    started_at = fields.AwareDateTime(required=True)
    milliseconds = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    request_headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    response = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The first kilobyte of the answer's body."},
    )


class _Body(fields.String):
    """What is sent; no attribute of its own."""

    _CHECK_ATTRIBUTE = False

    def _serialize(self, value: Any, attr: str | None, obj: Delivery, **kwargs: Any) -> str | None:
        return None if obj.event.position is None else body_of(obj.event).decode()


class LoggedDeliverySchema(DeliverySchema):
    """A delivery with all its attempts."""

    request_body = _Body(
        required=True,
        allow_none=True,
        metadata={"description": "The same in each attempt; null before the event is relayed."},
    )
    tries = fields.List(fields.Nested(AttemptSchema), required=True)


class DeliveryQuery(PageQuery):
    state = fields.Enum(DeliveryState, by_value=True)

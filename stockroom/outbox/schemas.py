from typing import Any

from marshmallow import ValidationError, fields, post_dump, validate

from stockroom.core.callers.identity import caller_may
from stockroom.core.fields import Moment, QueryInteger
from stockroom.core.pagination import DEFAULT_PAGE, LARGEST_PAGE
from stockroom.core.permissions import Permission
from stockroom.core.schemas import BaseSchema
from stockroom.outbox.document import NOT_FOR_EVERYBODY
from stockroom.outbox.types import PATTERN, EventType, is_pattern

LARGEST_POSITION = 10**18 - 1
LONGEST_LIST = 2000
_ORIGIN = {"address", "session", "api_key"}
_UNTOLD = dict.fromkeys(NOT_FOR_EVERYBODY)


class EventSchema(BaseSchema):
    """Something that happened. `type` may be one that this document does not list yet."""

    id = fields.UUID(required=True)
    position = fields.Integer(required=True, metadata={"description": "Counts on without gaps."})
    type = fields.String(required=True, metadata={"examples": [kind.value for kind in EventType]})
    subject = fields.UUID(required=True, metadata={"description": "The id of what it is about."})
    occurred_at = fields.AwareDateTime(required=True)
    actor = fields.UUID(
        required=True,
        allow_none=True,
        attribute="actor_id",
        metadata={
            "description": "The account that did it; null for commands and the system. "
            "For staff alone: null for others."
        },
    )
    request_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For staff alone: null for others."},
    )
    data = fields.Dict(required=True)


class ListedEventSchema(EventSchema):
    """An event; administrators also see where it came from."""

    address = fields.String(
        allow_none=True,
        metadata={"description": "Where the request came from. For administrators alone."},
    )
    session = fields.UUID(
        allow_none=True,
        attribute="session_id",
        metadata={"description": "The session that did it. For administrators alone."},
    )
    api_key = fields.UUID(
        allow_none=True,
        attribute="key_id",
        metadata={"description": "The API key that did it. For administrators alone."},
    )

    @post_dump
    def leave_out_what_is_not_for_all(
        self, data: dict[str, object], **_: object
    ) -> dict[str, object]:
        if caller_may(Permission.AUDIT_READ):
            return data
        told = {name: value for name, value in data.items() if name not in _ORIGIN}
        return told if caller_may(Permission.EVENTS_READ) else told | _UNTOLD


class NewsSchema(BaseSchema):
    items = fields.List(fields.Nested(ListedEventSchema), required=True)
    last_position = fields.Integer(
        required=True,
        metadata={"description": "Ask for what comes `after` it the next time."},
    )


class TypePatterns(fields.String):
    """Types of events with commas between them, such as ``product.*,user.created``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        patterns = [pattern.strip() for pattern in text.split(",")]
        if len(text) > LONGEST_LIST:
            raise ValidationError(f"Longer than {LONGEST_LIST} characters.")
        if unknown := [pattern for pattern in patterns if not is_pattern(pattern)]:
            raise ValidationError(f"Not types of events: {', '.join(unknown)}.")
        return patterns

    def openapi(self) -> dict[str, Any]:
        return {
            "pattern": rf"^({PATTERN})(,({PATTERN}))*$",
            "examples": ["product.*"],
        }


class AfterQuery(BaseSchema):
    """What every way of reading events takes."""

    after = QueryInteger(
        validate=validate.Range(0, LARGEST_POSITION),
        metadata={"description": "The last position that you have seen; 0 for all."},
    )
    types = TypePatterns(
        metadata={
            # In words: who generates data from a pattern and a length at once takes very long.
            "description": "Only these types; `product.*` is all of those. "
            f"{LONGEST_LIST} characters at most."
        }
    )


class EventQuery(AfterQuery):
    limit = QueryInteger(load_default=DEFAULT_PAGE, validate=validate.Range(1, LARGEST_PAGE))
    subject = fields.UUID(metadata={"description": "Only what is about this id."})
    actor = fields.UUID(metadata={"description": "Only what this account did. For staff alone."})
    since = Moment(metadata={"description": "Only what happened at this time or later."})
    until = Moment(metadata={"description": "Only what happened before this time."})

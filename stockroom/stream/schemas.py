from marshmallow import EXCLUDE, fields, validate

from stockroom.core.fields import QueryInteger
from stockroom.core.schemas import BaseSchema
from stockroom.outbox.schemas import LARGEST_POSITION, AfterQuery


class StreamQuery(AfterQuery):
    """Where a stream begins, what it lets through, and whom it is for."""

    after = QueryInteger(
        validate=validate.Range(0, LARGEST_POSITION),
        metadata={
            "description": "The last position that you have seen; 0 for all that are kept. "
            "Without it you get what is new from now on."
        },
    )
    ticket = fields.String(
        metadata={"description": "From `POST /events/tickets`, where no token can be sent."}
    )


class LastEventSchema(BaseSchema):
    class Meta:  # noqa: D106 - marshmallow's name for its options
        unknown = EXCLUDE

    last_event_id = QueryInteger(
        data_key="Last-Event-ID",
        validate=validate.Range(0, LARGEST_POSITION),
        metadata={"description": "What `EventSource` sends to go on; it wins over `after`."},
    )


class TicketSchema(BaseSchema):
    ticket = fields.String(required=True, metadata={"description": "Good once, for 30 seconds."})
    expires_at = fields.AwareDateTime(required=True)

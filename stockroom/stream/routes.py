from typing import Any

from flask import Response

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import current_caller
from stockroom.core.errors import UpgradeRequired
from stockroom.core.permissions import Permission
from stockroom.outbox.errors import EventsExpired
from stockroom.stream import service, sse, websocket
from stockroom.stream.errors import SessionEndedMeanwhile, TooManyStreams
from stockroom.stream.follower import following
from stockroom.stream.schemas import LastEventSchema, StreamQuery, TicketSchema

blueprint = Blueprint(
    "stream", __name__, url_prefix="/events", description="What happens, as it happens."
)


@blueprint.post("/tickets")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.idempotent
@blueprint.response(201, TicketSchema)
@blueprint.raises(SessionEndedMeanwhile)
def create_ticket() -> service.Ticket:
    """Get a ticket that lets a browser follow events, once, within 30 seconds."""
    return service.issue_ticket(current_caller())


@blueprint.get("/stream")
@blueprint.allow(Permission.EVENTS_FOLLOW, redeem=service.redeem_ticket)
@blueprint.arguments(LastEventSchema, location="headers")
@blueprint.arguments(StreamQuery, location="query")
@blueprint.response(200, sse.MESSAGE, content_type=sse.MEDIA_TYPE)
@blueprint.raises(EventsExpired, TooManyStreams)
def stream_events(headers: dict[str, int], query: dict[str, Any]) -> Response:
    """Follow events as server-sent events. Staff get all, other accounts the public ones."""
    after = headers.get("last_event_id", query.get("after"))
    return sse.response(current_caller(), after, query.get("types", ()))


@blueprint.websocket("/ws")
# Any page can open one, with the cookies of its visitor: neither CORS nor the header guards it.
@blueprint.allow(Permission.EVENTS_FOLLOW, redeem=service.redeem_ticket, cookies=False)
@blueprint.arguments(StreamQuery, location="query")
@blueprint.alt_response(101, description="Events, each a JSON text message (docs/realtime.md).")
@blueprint.raises(EventsExpired, TooManyStreams, UpgradeRequired)
def follow_events(query: dict[str, Any]) -> Response:
    """Follow events over a WebSocket. Staff get all, other accounts the public ones."""
    websocket.require_upgrade()
    with following(current_caller(), query.get("after"), query.get("types", ())) as follower:
        return websocket.response(follower)

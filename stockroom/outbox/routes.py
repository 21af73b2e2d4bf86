from typing import Any

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import caller_may
from stockroom.core.errors import PermissionDenied
from stockroom.core.permissions import Permission
from stockroom.outbox import service
from stockroom.outbox.errors import EventsExpired
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.schemas import EventQuery, NewsSchema

blueprint = Blueprint("events", __name__, url_prefix="/events", description="What has happened.")


@blueprint.get("")
@blueprint.allow(Permission.EVENTS_FOLLOW)
@blueprint.arguments(EventQuery, location="query")
@blueprint.response(200, NewsSchema)
@blueprint.raises(EventsExpired)
def list_events(query: dict[str, Any]) -> service.News:
    """Read events, oldest first. Staff read all, other accounts those on active products."""
    after, limit = query.pop("after", 0), query.pop("limit")
    reads_all = caller_may(Permission.EVENTS_READ)
    if "actor" in query and not reads_all:
        raise PermissionDenied
    filters = EventFilters(**query, public_only=not reads_all)
    return service.read(after, limit, filters)

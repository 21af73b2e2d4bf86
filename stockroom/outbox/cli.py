"""``flask events``: what has happened, and what is happening."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from click import option

from stockroom.core.console import CommandGroup, json_option, load, print_table
from stockroom.core.pagination import DEFAULT_PAGE
from stockroom.outbox import service
from stockroom.outbox.document import document_of
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.schemas import AfterQuery, EventQuery
from stockroom.outbox.tailing import Follower, compact, print_news

events_commands = CommandGroup("events", help="What has happened, and what is happening.")

COLUMNS = ("position", "occurred_at", "type", "subject", "actor", "data")
ALL_COLUMNS = (*COLUMNS, "request_id", "id")

types_option = option("--types", help="Only these types, such as product.*,user.created.")
after_option = option("--after", metavar="POSITION", help="Only what comes after it.")


@events_commands.command("list")
@types_option
@option("--subject", metavar="ID", help="Only what is about this id.")
@option("--actor", metavar="ID", help="Only what this account did.")
@option("--since", metavar="TIME", help="Only what happened then, or later.")
@after_option
@option("--limit", metavar="N", default=str(DEFAULT_PAGE), show_default=True, help="At most 200.")
@json_option
def list_events(*, as_json: bool, **options: str | None) -> None:
    """List the newest events; with --after, the first ones after that position.

    Example: flask events list --types product.* --since 2026-01-31T12:00:00Z
    """
    query = load(EventQuery(), **options)
    after, limit = query.pop("after", None), query.pop("limit")
    filters = EventFilters(**query)
    if after is None:
        events = service.newest(limit, filters)
    else:
        events = service.read(after, limit, filters).items
    _print([document_of(event) for event in events], as_json=as_json)


@events_commands.command()
@types_option
@after_option
@json_option
def tail(*, as_json: bool, **options: str | None) -> None:
    """Follow events as they happen, until Ctrl-C; with --after, from that position on.

    With --json each line is an event as the API has it.

    Example: flask events tail --types product.*,user.created
    """
    query = load(AfterQuery(), **options)
    filters = EventFilters(types=query.get("types", ()))
    with suppress(KeyboardInterrupt):
        after = query["after"] if "after" in query else service.newest_position()
        print_news(Follower(after, filters).news, as_json=as_json)


def _print(events: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    columns = ALL_COLUMNS if as_json else COLUMNS
    if not as_json:
        events = [event | {"data": compact(event["data"])} for event in events]
    print_table(columns, ([event[name] for name in columns] for event in events), as_json=as_json)

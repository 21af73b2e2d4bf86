"""What ``flask events tail`` does: asks for news, and prints a line for each event."""

import json
import select
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from stockroom.core.errors import Unavailable
from stockroom.core.pagination import LARGEST_PAGE
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.outbox import service
from stockroom.outbox.document import document_of
from stockroom.outbox.filters import EventFilters
from stockroom.outbox.models import Event
from stockroom.outbox.types import EventType

POLL_MILLISECONDS = 250
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
SHORT_ID = 12

_nouns = tuple(dict.fromkeys(kind.partition(".")[0] for kind in EventType))


class Follower:
    """Goes on from a position, whether the database is there or not."""

    def __init__(self, after: int, filters: EventFilters) -> None:
        self._after = after
        self._filters = filters
        self._is_away = False

    def news(self) -> Sequence[Event]:
        """The next events that match; none while the database is away, which is said once.

        :raises EventsExpired: if nobody can go on from the position.
        """
        try:
            items = self._read()
        except (Unavailable, EmbeddedServerError) as error:
            if not self._is_away:
                click.echo(f"{error} Waiting until it does.", err=True)
            self._is_away = True
            return ()
        self._is_away = False
        return items

    def _read(self) -> Sequence[Event]:
        # The usual answer is that there is nothing, and takes one look at one row.
        while service.newest_position() != self._after:
            news = service.read(self._after, LARGEST_PAGE, self._filters)
            self._after = news.last_position
            if news.items:
                return news.items
        return ()


def print_news(news: Callable[[], Sequence[Event]], *, as_json: bool) -> None:
    """Print what is new, until nobody reads it any more."""
    reader = select.poll()
    # Nothing is asked for: that the other end is closed is told unasked.
    reader.register(sys.stdout, 0)
    while not reader.poll(POLL_MILLISECONDS):
        while events := news():
            for event in map(document_of, events):
                click.echo(json.dumps(event, ensure_ascii=False) if as_json else line(event))


def line(event: dict[str, Any]) -> str:
    """An event in one line of the terminal, as far as that is wide."""
    when = event["occurred_at"][:19].replace("T", " ")
    actor = (event["actor"] or "")[-SHORT_ID:]
    shown = f"{event['position']:>6}  {when}  "
    rest = f"  {event['subject']}  {actor:{SHORT_ID}}  {compact(event['data'])}"
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - len(shown) - len(event["type"])
        rest = rest[: max(0, width)]
    return f"{shown}{click.style(event['type'], fg=_colour(event['type']))}{rest}"


def compact(data: dict[str, Any]) -> str:
    """JSON in one line, without what would steer the terminal."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _colour(event_type: str) -> str | None:
    """One for each kind of thing; none for what only a newer version knows."""
    noun = event_type.partition(".")[0]
    return COLOURS[_nouns.index(noun) % len(COLOURS)] if noun in _nouns else None

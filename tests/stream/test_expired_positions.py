"""Clients that were away for longer than events are kept."""

import json

import pytest
from sqlalchemy import delete

from stockroom.core.transaction import transaction
from stockroom.outbox.models import Event
from tests.stream.clients import EVENTS, Live
from tests.stream.frames import HANDSHAKE


@pytest.mark.parametrize(("way", "headers"), [("ws", HANDSHAKE), ("stream", {})])
def test_who_was_away_for_too_long_is_told_so_before_the_stream_begins(
    live: Live, way: str, headers: dict[str, str]
) -> None:
    start = live.now()
    live.make_products(2)
    end = live.now()
    with live.site.app.app_context(), transaction() as session:
        session.execute(delete(Event).where(Event.position < end))
    answer = live.send("GET", f"{EVENTS}/{way}?after={start}", live.token, **headers)
    assert answer.status == 410
    problem = json.loads(answer.body)
    assert problem["type"] == "/problems/events-expired"
    assert problem["last_position"] == end

"""Clients that come with a position from which nobody can go on."""

import json

import pytest
from sqlalchemy import delete
from websockets.exceptions import InvalidStatus

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
    assert_expired(answer.body, end)


def test_who_is_ahead_of_all_events_cannot_open_a_websocket(live: Live) -> None:
    end = live.now()
    with pytest.raises(InvalidStatus) as refusal, live.socket(f"after={end + 1}"):
        pass
    assert refusal.value.response.status_code == 410
    assert_expired(refusal.value.response.body, end)


@pytest.mark.parametrize("by", ["after", "Last-Event-ID"])
def test_who_is_ahead_of_all_events_gets_no_stream(live: Live, by: str) -> None:
    end = live.now()
    query, headers = (f"after={end + 1}", {}) if by == "after" else ("", {by: str(end + 1)})
    with live.stream(query, **headers) as (response, _):
        assert response.status == 410
        assert_expired(response.read(), end)


def assert_expired(body: bytes, newest: int) -> None:
    problem = json.loads(body)
    assert problem["type"] == "/problems/events-expired"
    assert problem["last_position"] == newest

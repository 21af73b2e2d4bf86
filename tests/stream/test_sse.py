"""Following events as server-sent events."""

from itertools import islice

import pytest

from stockroom.auth import sessions as auth
from stockroom.core.permissions import Role
from tests.api import Api
from tests.factories.products import product_body
from tests.factories.users import make_user, token_for
from tests.stream.clients import EVENTS, Live, Message, news


def test_history_comes_first_and_then_what_is_new(live: Live) -> None:
    start = live.now()
    old = live.make_products(2)
    live.now()
    with live.stream(f"after={start}&types=product.created") as (_, messages):
        seen = list(islice(news(messages), 2))
        new = live.make_products(1)
        seen.append(next(news(messages)))
    assert [message.data["subject"] for message in seen] == old + new
    assert [message.id for message in seen] == [message.data["position"] for message in seen]


def test_the_last_event_id_wins_over_after(live: Live) -> None:
    start = live.now()
    live.make_products(3)
    end = live.now()
    headers = {"Last-Event-ID": str(end - 1)}
    with live.stream(f"after={start}", **headers) as (_, messages):
        assert next(news(messages)).id == end


def test_a_last_event_id_that_is_none_is_refused(live: Live) -> None:
    answer = live.send("GET", f"{EVENTS}/stream", live.token, **{"Last-Event-ID": "x"})
    assert answer.status == 422
    assert b"Last-Event-ID" in answer.body


def test_the_stream_is_neither_kept_nor_held_back_on_its_way(live: Live) -> None:
    with live.stream() as (response, _):
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.readline() == b"retry: 2000\n"


def test_heartbeats_tell_the_position_at_the_beginning_and_then_again(live: Live) -> None:
    start = live.now()
    with live.stream("types=user.removed") as (_, messages):
        beats = [next(messages), next(messages)]
    assert beats == [Message(start, "heartbeat", {"position": start})] * 2


def test_a_customer_sees_no_draft(live: Live) -> None:
    start = live.now()
    live.make_products(1, status="draft")
    (seen,) = live.make_products(1)
    token = live.token_of(Role.CUSTOMER)
    with live.stream(f"after={start}", token=token) as (_, messages):
        assert next(news(messages)).data["subject"] == seen


def test_a_customer_is_not_told_who_has_done_something(live: Live) -> None:
    start = live.now()
    api = Api(live.site.app, live.token_of(Role.STAFF))
    api.post("/products", json=product_body())
    token = live.token_of(Role.CUSTOMER)
    for after in (start, 0):
        with live.stream(f"after={after}&types=product.*", token=token) as (_, messages):
            shown = next(news(messages)).data
        assert (shown["actor"], shown["request_id"]) == (None, None)
        assert shown["subject"]


def test_a_stream_ends_with_a_reason_when_its_session_has_ended(live: Live) -> None:
    user = make_user(live.site.app, role=Role.STAFF)
    with live.stream(token=token_for(live.site.app, user)) as (_, messages):
        with live.site.app.app_context():
            auth.end_all_sessions(user.id)
        *_, last = messages
    assert (last.event, last.data["reason"]) == ("bye", "the session has ended")


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_nobody_follows_without_credentials(live: Live, token: str | None) -> None:
    assert live.send("GET", f"{EVENTS}/stream", token).status == 401

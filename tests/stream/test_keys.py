"""Following events with an API key."""

from contextlib import suppress
from itertools import islice

import pytest
from websockets.exceptions import ConnectionClosed

from stockroom.api_keys import service as api_keys
from stockroom.api_keys.service import Issued
from stockroom.core.permissions import Permission, Role
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.api_keys import make_key
from tests.factories.users import make_user
from tests.stream.clients import EVENTS, PATIENCE_SECONDS, Live, news, read

FOLLOW = [Permission.EVENTS_FOLLOW]
MOST_BEATS = 10
# What other tests have recorded may still be on its way.
QUIET = "types=user.removed"
OVER = "the API key is not good any more"


@pytest.fixture
def user(live: Live) -> User:
    return make_user(live.site.app, role=Role.STAFF)


@pytest.fixture
def issued(live: Live, user: User) -> Issued:
    return make_key(live.site.app, user)


def test_a_key_follows_over_a_websocket(live: Live, issued: Issued) -> None:
    start = live.now()
    (seen,) = live.make_products(1, status="draft")
    with live.socket(f"after={start}", key=issued.key) as socket:
        assert read(socket, 1)[0]["subject"] == seen


def test_a_key_follows_by_server_sent_events(live: Live, issued: Issued) -> None:
    start = live.now()
    (seen,) = live.make_products(1, status="draft")
    with live.stream(f"after={start}", key=issued.key) as (_, messages):
        assert next(news(messages)).data["subject"] == seen


def test_a_key_with_the_one_scope_sees_what_everybody_sees(live: Live, user: User) -> None:
    start = live.now()
    live.make_products(1, status="draft")
    (seen,) = live.make_products(1)
    key = make_key(live.site.app, user, FOLLOW).key
    with live.stream(f"after={start}", key=key) as (_, messages):
        assert next(news(messages)).data["subject"] == seen


def test_a_key_without_the_scope_follows_nothing(live: Live, user: User) -> None:
    key = make_key(live.site.app, user, [Permission.ACCOUNT_OWN]).key
    headers = {"X-API-Key": key}
    assert live.send("GET", f"{EVENTS}/stream", None, **headers).status == 403


def test_a_websocket_ends_with_a_reason_when_its_key_is_revoked(live: Live, issued: Issued) -> None:
    with live.socket(QUIET, key=issued.key) as socket:
        with live.site.app.app_context():
            api_keys.revoke(issued.api_key.id)
        with suppress(ConnectionClosed):
            for _ in range(MOST_BEATS):
                socket.recv(PATIENCE_SECONDS)
    assert (socket.close_code, socket.close_reason) == (1008, OVER)


def test_a_stream_ends_with_a_reason_when_the_owner_of_its_key_is_deactivated(
    live: Live, issued: Issued, user: User
) -> None:
    with live.stream(QUIET, key=issued.key) as (_, messages):
        with live.site.app.app_context():
            users.change(user.id, {"is_active": False})
        *_, last = islice(messages, MOST_BEATS)
    assert (last.event, last.data["reason"]) == ("bye", OVER)


def test_a_stream_goes_on_while_its_key_is_good(live: Live, issued: Issued) -> None:
    with live.stream(QUIET, key=issued.key) as (_, messages):
        beats = [next(messages).event for _ in range(2)]
    assert beats == ["heartbeat"] * 2


def test_a_key_is_in_no_log_of_the_server(live: Live, issued: Issued) -> None:
    secret = issued.key.removeprefix("sr_")
    for place in (f"stream?key={issued.key}", f"stream?key=%20{issued.key}", issued.key):
        live.send("GET", f"{EVENTS}/{place}", None, **{"X-API-Key": issued.key})
    assert f"{EVENTS}/stream" in live.log
    assert secret not in live.log


def test_tickets_are_for_sessions(live: Live, issued: Issued) -> None:
    answer = Api(live.site.app, key=issued.key).post("/events/tickets")
    problem = assert_problem(answer, 403, "permission-denied")
    assert "it takes a session" in problem["detail"]

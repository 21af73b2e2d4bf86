"""Following events over a WebSocket."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from stockroom.auth import sessions as auth
from stockroom.core.permissions import Role
from tests.factories.users import make_user, token_for
from tests.stream.clients import (
    EVENTS,
    PATIENCE_SECONDS,
    Live,
    next_heartbeat,
    read,
    read_to_the_end,
)
from tests.stream.frames import HANDSHAKE, opcodes, shaken_hands
from tests.threads import until

SILENT_CLIENTS = 40


def test_history_comes_first_and_then_what_is_new(live: Live) -> None:
    start = live.now()
    old = live.make_products(3)
    live.now()
    with live.socket(f"after={start}") as socket:
        seen = read(socket, 3)
        new = live.make_products(2)
        seen += read(socket, 2)
    assert [event["subject"] for event in seen] == old + new
    assert [event["position"] for event in seen] == list(range(start + 1, start + 6))


def test_an_event_is_the_same_document_as_in_the_list(live: Live) -> None:
    start = live.now()
    live.make_products(1)
    with live.socket(f"after={start}") as socket:
        (event,) = read(socket, 1)
    listed = live.send("GET", f"{EVENTS}?after={start}", live.token)
    assert json.loads(listed.body)["items"] == [event]


def test_without_a_position_only_what_is_new_comes(live: Live) -> None:
    live.make_products(1)
    live.now()
    with live.socket() as socket:
        new = live.make_products(1)
        assert [event["subject"] for event in read(socket, 1)] == new


def test_clients_that_come_while_events_are_written_miss_and_repeat_none(live: Live) -> None:
    start, count = live.now(), 60
    live.make_products(20)

    def follow(_number: int) -> list[int]:
        with live.socket(f"after={start}") as socket:
            return [event["position"] for event in read(socket, 20 + count)]

    with ThreadPoolExecutor() as threads:
        clients = [threads.submit(follow, number) for number in range(4)]
        live.make_products(count)
        seen = [client.result(PATIENCE_SECONDS) for client in clients]
    assert seen == [list(range(start + 1, start + 21 + count))] * 4


def test_a_heartbeat_tells_at_once_where_a_stream_begins(live: Live) -> None:
    start = live.now()
    with live.socket() as socket:
        message = json.loads(socket.recv(PATIENCE_SECONDS))
    assert message == {"type": "heartbeat", "position": start}


def test_only_the_types_that_are_asked_for_come(live: Live) -> None:
    start = live.now()
    live.make_products(1)
    user = make_user(live.site.app)
    with live.socket(f"after={start}&types=user.created,product.archived") as socket:
        (event,) = read(socket, 1)
    assert (event["type"], event["subject"]) == ("user.created", str(user.id))


def test_a_heartbeat_tells_how_far_a_filtered_stream_has_come(live: Live) -> None:
    with live.socket("types=user.removed") as socket:
        live.make_products(1)
        end = live.now()
        until(lambda: next_heartbeat(socket) == end)


def test_a_customer_sees_no_draft_in_history_and_none_live(live: Live) -> None:
    start = live.now()
    live.make_products(1, status="draft")
    seen = live.make_products(1)
    live.now()
    with live.socket(f"after={start}", token=live.token_of(Role.CUSTOMER)) as socket:
        first = read(socket, 1)
        live.make_products(1, status="draft")
        seen += live.make_products(1)
        assert [event["subject"] for event in first + read(socket, 1)] == seen


def test_a_stream_ends_when_its_session_has_ended(live: Live) -> None:
    user = make_user(live.site.app, role=Role.STAFF)
    # The news of the account itself is over before somebody follows.
    live.now()
    with live.socket(token=token_for(live.site.app, user)) as socket:
        with live.site.app.app_context():
            auth.end_all_sessions(user.id)
        read_to_the_end(socket)
    assert (socket.close_code, socket.close_reason) == (1008, "the session has ended")


def test_clients_that_answer_no_ping_are_dropped_and_each_is_noted(live: Live) -> None:
    noted = live.log.count('"no pong"')
    with ExitStack() as stack:
        wires = [stack.enter_context(shaken_hands(live)) for _ in range(SILENT_CLIENTS)]
        for wire in wires:
            codes = opcodes(wire)
            assert "ping" in codes
            assert codes[-1] == "close"
    until(lambda: live.log.count('"no pong"') == noted + SILENT_CLIENTS)


def test_what_a_client_says_is_ignored(live: Live) -> None:
    live.now()
    with live.socket("types=product.created") as socket:
        for _ in range(1000):
            socket.send("x" * 4000)
        new = live.make_products(1)
        assert [event["subject"] for event in read(socket, 1)] == new


def test_a_client_that_says_too_much_at_once_is_shown_out(live: Live) -> None:
    with live.socket() as socket:
        socket.send("x" * 5000)
        read_to_the_end(socket)
    assert socket.close_code == 1009


def test_a_client_that_says_goodbye_gets_its_answer(live: Live) -> None:
    with live.socket() as socket:
        socket.close(1001)
    assert socket.close_code == 1001


@pytest.mark.parametrize(
    ("query", "changes", "problem"),
    [
        ("", {"Upgrade": "other"}, (426, "upgrade-required")),
        ("", {"Sec-WebSocket-Version": "8"}, (426, "upgrade-required")),
        ("", {"Sec-WebSocket-Key": ""}, (400, "bad-request")),
        ("", {"Authorization": "Bearer nonsense"}, (401, "unauthenticated")),
        ("after=-1", {}, (422, "validation-error")),
        ("types=nonsense", {}, (422, "validation-error")),
    ],
)
def test_what_is_refused_is_refused_before_the_upgrade(
    live: Live, query: str, changes: dict[str, str], problem: tuple[int, str]
) -> None:
    headers = {**HANDSHAKE, "Authorization": f"Bearer {live.token}", **changes}
    answer = live.send("GET", f"{EVENTS}/ws?{query}", None, **headers)
    status, slug = problem
    assert answer.status == status
    assert answer.media_type == "application/problem+json"
    assert json.loads(answer.body)["type"] == f"/problems/{slug}"


def test_a_plain_request_is_told_what_to_ask_for(live: Live) -> None:
    answer = live.send("GET", f"{EVENTS}/ws", live.token)
    assert answer.status == 426
    assert answer.headers["upgrade"] == "websocket"
    assert answer.headers["sec-websocket-version"] == "13"

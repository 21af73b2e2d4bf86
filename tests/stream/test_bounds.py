"""How many clients follow at once, and what is left to all others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from time import monotonic

import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.conftest import OpenSite
from tests.stream.clients import EVENTS, Live
from tests.stream.frames import HANDSHAKE
from tests.threads import at_once, until

PLACES = 2


@pytest.fixture(scope="module")
def small(open_site: OpenSite) -> Iterator[Live]:
    with open_site(stream_connections=PLACES, web_threads=2) as site:
        yield Live(site)


@pytest.fixture
def full(small: Live) -> Iterator[Live]:
    """A site that one more client cannot follow."""
    with ExitStack() as stack:
        # That others have left is noticed a little later.
        until(lambda: _joins_socket(small, stack))
        until(lambda: _joins_stream(small, stack))
        yield small


def _joins_socket(live: Live, stack: ExitStack) -> bool:
    with suppress(InvalidStatus):
        return stack.enter_context(live.socket()).close_code is None
    return False


def _joins_stream(live: Live, stack: ExitStack) -> bool:
    answer, _ = stack.enter_context(live.stream())
    return answer.status == 200


def _status(live: Live, way: str, *, method: str = "GET") -> int:
    headers = HANDSHAKE if way == "ws" else {}
    return live.send(method, f"{EVENTS}/{way}", live.token, **headers).status


@pytest.mark.parametrize(("way", "headers"), [("ws", HANDSHAKE), ("stream", {})])
def test_one_too_many_is_asked_to_come_later(full: Live, way: str, headers: dict[str, str]) -> None:
    answer = full.send("GET", f"{EVENTS}/{way}", full.token, **headers)
    assert answer.status == 503
    assert json.loads(answer.body)["type"] == "/problems/too-many-streams"
    assert int(answer.headers["retry-after"]) > 0


def test_ordinary_requests_are_answered_meanwhile(full: Live) -> None:
    began = monotonic()
    statuses = at_once(lambda _: full.site.web.get("/api/v1/products").status, range(8))
    assert statuses == [200] * 8
    assert monotonic() - began < 5


def test_who_leaves_makes_room(small: Live) -> None:
    for _ in range(2 * PLACES):
        until(lambda: _comes_and_goes(small))


def _comes_and_goes(live: Live) -> bool:
    with ExitStack() as stack:
        return _joins_socket(live, stack)


def test_a_request_for_the_head_alone_keeps_no_place(small: Live) -> None:
    for _ in range(3 * PLACES):
        until(lambda: _status(small, "stream", method="HEAD") == 200)

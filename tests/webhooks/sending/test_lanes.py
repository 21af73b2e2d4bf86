"""How many requests go to one endpoint at once."""

from dataclasses import replace
from uuid import UUID

import pytest

from stockroom.core.database import new_id, now
from stockroom.webhooks.sending.attempt import Result
from stockroom.webhooks.sending.lanes import (
    REQUESTS_AT_ONCE,
    SLOW_AT_ONCE,
    TAKEN_AHEAD,
    WIDTH,
    Lanes,
)
from stockroom.webhooks.sending.parcels import Parcel
from tests.webhooks.receivers import parcel


@pytest.fixture
def lanes() -> Lanes:
    return Lanes()


def some(webhook_id: UUID, count: int) -> list[Parcel]:
    one = parcel("https://shop.example/")
    return [replace(one, delivery_id=new_id(), webhook_id=webhook_id) for _ in range(count)]


def result(of: Parcel, *, milliseconds: int = 10, status: int = 200) -> Result:
    return Result(of, {}, now(), milliseconds, status=status)


def open_wide(lanes: Lanes, webhook_id: UUID) -> None:
    """Let a first answer show that the endpoint is quick."""
    lanes.add(some(webhook_id, 1))
    (first,) = lanes.start()
    lanes.finish(result(first))


def test_an_endpoint_begins_with_one_request(lanes: Lanes) -> None:
    webhook_id = new_id()
    assert lanes.wanted([webhook_id]) == {webhook_id: 1}
    lanes.add(some(webhook_id, 5))
    assert len(lanes.start()) == 1
    assert lanes.start() == []


def test_a_quick_one_is_sent_several_at_once(lanes: Lanes) -> None:
    webhook_id = new_id()
    open_wide(lanes, webhook_id)
    assert lanes.wanted([webhook_id]) == {webhook_id: TAKEN_AHEAD}
    lanes.add(some(webhook_id, TAKEN_AHEAD))
    assert len(lanes.start()) == WIDTH
    assert lanes.wanted([webhook_id]) == {}


def test_an_answer_makes_room_for_the_next_of_the_same_endpoint(lanes: Lanes) -> None:
    webhook_id = new_id()
    open_wide(lanes, webhook_id)
    lanes.add(some(webhook_id, WIDTH + 1))
    first, *_ = lanes.start()
    assert len(lanes.finish(result(first))) == 1


@pytest.mark.parametrize("answer", [{"milliseconds": 2001}, {"status": 500}])
def test_one_that_fails_or_turns_slow_is_sent_one_at_a_time(
    lanes: Lanes, answer: dict[str, int]
) -> None:
    webhook_id = new_id()
    open_wide(lanes, webhook_id)
    lanes.add(some(webhook_id, WIDTH + 5))
    under_way = lanes.start()
    assert [lanes.finish(result(it, **answer)) for it in under_way[:-1]] == [[]] * (WIDTH - 1)
    assert len(lanes.finish(result(under_way[-1], **answer))) == 1
    assert len(lanes.surplus()) == 4


def test_slow_ones_leave_half_of_the_requests_to_the_others(lanes: Lanes) -> None:
    slow, quick = [new_id() for _ in range(100)], new_id()
    open_wide(lanes, quick)
    wanted = lanes.wanted([*slow, quick])
    assert sum(wanted[it] for it in slow if it in wanted) == SLOW_AT_ONCE
    assert wanted[quick] == TAKEN_AHEAD


def test_all_together_keep_within_the_threads(lanes: Lanes) -> None:
    webhook_ids = [new_id() for _ in range(20)]
    for webhook_id in webhook_ids:
        open_wide(lanes, webhook_id)
    for webhook_id in webhook_ids:
        lanes.add(some(webhook_id, WIDTH))
    assert len(lanes.start()) == REQUESTS_AT_ONCE

"""How many requests go to one endpoint at once, so that none holds up the others."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from stockroom.webhooks.sending.attempt import Result
from stockroom.webhooks.sending.parcels import Parcel

REQUESTS_AT_ONCE = 64
"""Of one process, to all endpoints together."""
SLOW_AT_ONCE = 32
"""Of these, to endpoints that are slow: however many of them hang, half is left for the others."""
WIDTH = 8
"""Requests at once to an endpoint that answers quickly; to others it is one."""
TAKEN_AHEAD = 64
"""Deliveries to a quick endpoint that are held, those under way included: the threads need not
wait for the database."""
SLOW_SECONDS = 2


@dataclass(slots=True)
class Lane:
    """What one endpoint has waiting and under way in this process.

    It begins as a slow one, until a first answer has shown that it is quick.
    """

    waiting: deque[Parcel] = field(default_factory=deque)
    under_way: int = 0
    is_slow: bool = True

    @property
    def width(self) -> int:
        return 1 if self.is_slow else WIDTH

    @property
    def may_take(self) -> int:
        """How many more deliveries it can use."""
        most = 1 if self.is_slow else TAKEN_AHEAD
        return max(0, most - len(self.waiting) - self.under_way)


class Lanes:
    """The lanes of all endpoints. Not for several threads at once: the dispatcher has a lock."""

    def __init__(self) -> None:
        self._lanes: dict[UUID, Lane] = {}
        self.under_way: dict[UUID, Parcel] = {}

    def wanted(self, webhook_ids: Iterable[UUID]) -> dict[UUID, int]:
        """How many deliveries to take for each of these endpoints."""
        slow_left = SLOW_AT_ONCE - self._slow_under_way
        wanted = {}
        for webhook_id in webhook_ids:
            lane = self._lanes.setdefault(webhook_id, Lane())
            most = lane.may_take
            if lane.is_slow:
                most = min(most, max(0, slow_left))
                slow_left -= most
            if most:
                wanted[webhook_id] = most
        return wanted

    def add(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            self._lanes.setdefault(parcel.webhook_id, Lane()).waiting.append(parcel)

    def start(self) -> list[Parcel]:
        """What is to be sent now, and counts as under way from here on."""
        return [parcel for lane in self._lanes.values() for parcel in self._start(lane)]

    def finish(self, result: Result) -> list[Parcel]:
        """Note the end of a request; returns what its endpoint can be sent instead."""
        lane = self._lanes[result.parcel.webhook_id]
        lane.under_way -= 1
        del self.under_way[result.parcel.delivery_id]
        is_late = result.milliseconds > SLOW_SECONDS * 1000
        lane.is_slow = is_late or not result.is_success
        return list(self._start(lane))

    def surplus(self, *, everything: bool = False) -> list[Parcel]:
        """What waits for endpoints that have turned slow, to be given back."""
        given_back: list[Parcel] = []
        for lane in self._lanes.values():
            if lane.waiting and (lane.is_slow or everything):
                given_back += lane.waiting
                lane.waiting.clear()
        return given_back

    def _start(self, lane: Lane) -> Iterable[Parcel]:
        while (
            lane.waiting and lane.under_way < lane.width and len(self.under_way) < REQUESTS_AT_ONCE
        ):
            parcel = lane.waiting.popleft()
            lane.under_way += 1
            self.under_way[parcel.delivery_id] = parcel
            yield parcel

    @property
    def _slow_under_way(self) -> int:
        return sum(lane.under_way for lane in self._lanes.values() if lane.is_slow)

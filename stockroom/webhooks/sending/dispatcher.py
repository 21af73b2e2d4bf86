"""Sends what is due: takes it in batches, sends it from threads, and records in batches.

One turn of the pump records what has come back, and takes what there is room for, in one
transaction. It is turned by the timer, by new events, and by every answer; while one thread turns
it, the others leave it what they have, so that batches grow with the load.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Condition, Lock
from time import monotonic, sleep

import structlog
from sqlalchemy.orm import Session

from stockroom.core.database import now
from stockroom.core.errors import Unavailable
from stockroom.core.transaction import transaction
from stockroom.webhooks.sending import outcomes, queue
from stockroom.webhooks.sending.attempt import NOT_MADE, Result, Sender
from stockroom.webhooks.sending.lanes import REQUESTS_AT_ONCE, Lanes
from stockroom.webhooks.sending.parcels import Parcel, take

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60
"""Beyond the time that a request may take: a process that is killed gives back after it."""
STOP_SECONDS = 20
"""How long requests under way are waited for at the end, however long they may take."""
PACE_SECONDS = 0.05
"""From one turn to the next, at least."""


class Dispatcher:
    """The deliveries of one process.

    :param entering: what a thread enters to work for the application.
    :param seconds: how long one request may take.
    """

    def __init__(
        self, entering: Callable[[], AbstractContextManager[object]], sender: Sender, seconds: float
    ) -> None:
        self._entering, self._sender, self._seconds = entering, sender, seconds
        # Two more than requests, so that the pump finds a thread while all of them wait.
        self._threads = ThreadPoolExecutor(REQUESTS_AT_ONCE + 2, "webhooks")
        self._lanes = Lanes()
        self._results: list[Result] = []
        self._changed = Condition()
        self._pumping = Lock()
        self._is_wanted = self._is_stopping = False
        self._turned_at = 0.0

    def pump(self) -> None:
        """One turn now, unless somebody is at it, who then makes another."""
        self._is_wanted = True
        if not self._pumping.acquire(blocking=False):
            return
        try:
            sleep(max(0.0, self._turned_at + PACE_SECONDS - monotonic()))
            self._is_wanted = False
            self._turned_at = monotonic()
            if not self._is_stopping:
                with self._entering():
                    self._turn()
        finally:
            self._pumping.release()
        if self._is_wanted and not self._is_stopping:
            self._threads.submit(self._pump_safely)

    def stop(self) -> None:
        """Wait for the requests under way, record them, and give back all the rest."""
        with self._changed:
            self._is_stopping = True
        with self._pumping:
            results, rest = self._last()
            try:
                with transaction() as session:
                    outcomes.record(session, results)
                    _give_back(session, rest)
            finally:
                self._threads.shutdown(wait=False, cancel_futures=True)
                self._sender.close()

    def _last(self) -> tuple[list[Result], list[Parcel]]:
        """What has come back by the end, and what has not."""
        with self._changed:
            seconds = min(self._seconds, STOP_SECONDS)
            self._changed.wait_for(lambda: not self._lanes.under_way, seconds)
            rest = [*self._lanes.surplus(everything=True), *self._lanes.under_way.values()]
            results, self._results = self._results, []
        return results, rest

    def _turn(self) -> None:
        with self._changed:
            results, self._results = self._results, []
            surplus = self._lanes.surplus()
        try:
            with transaction() as session:
                outcomes.record(session, results)
                _give_back(session, surplus)
                parcels = self._take(session)
        except BaseException:
            with self._changed:
                self._results = results + self._results
            raise
        with self._changed:
            self._lanes.add(parcels)
            self._send(self._lanes.start())

    def _take(self, session: Session) -> list[Parcel]:
        moment = now()
        webhooks = [*queue.due_webhooks(session, moment)]
        # Where there is not room for all, it is not the same ones each time that go first.
        random.shuffle(webhooks)
        with self._changed:
            wanted = self._lanes.wanted([webhook.id for webhook in webhooks])
        if not wanted:
            return []
        until = moment + timedelta(seconds=self._seconds + LEASE_SECONDS)
        return take(session, webhooks, wanted, moment, until)

    def _send(self, parcels: list[Parcel]) -> None:
        if not self._is_stopping:
            for parcel in parcels:
                self._threads.submit(self._deliver, parcel)

    def _deliver(self, parcel: Parcel) -> None:
        result = self._result_of(parcel)
        with self._changed:
            self._results.append(result)
            self._send(self._lanes.finish(result))
            self._changed.notify_all()
        self._pump_safely()

    def _result_of(self, parcel: Parcel) -> Result:
        started_at = now()
        try:
            return self._sender.send(parcel)
        except Exception:
            # A bug, but one that must end like any failure: its place would never be free again.
            log.exception("delivery failed", delivery=str(parcel.delivery_id))
            return Result(parcel, {}, started_at, 0, error=NOT_MADE)

    def _pump_safely(self) -> None:
        try:
            self.pump()
        except Unavailable as error:
            log.warning("deliveries wait", reason=error.detail)
        except Exception:
            log.exception("deliveries failed")


def _give_back(session: Session, parcels: list[Parcel]) -> None:
    if parcels:
        queue.give_back(session, [(it.delivery_id, it.claim) for it in parcels], now())

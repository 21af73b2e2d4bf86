"""Leases and ends: what a process holds comes back, and is recorded by one process alone."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.config import ROOT, Settings
from stockroom.core.context import entering_application
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.outbox.relay import relay
from stockroom.webhooks import jobs
from stockroom.webhooks.models import Delivery
from stockroom.webhooks.sending import outcomes, queue
from stockroom.webhooks.sending.attempt import Result, Sender
from stockroom.webhooks.sending.dispatcher import Dispatcher
from stockroom.webhooks.sending.lanes import WIDTH
from stockroom.webhooks.sending.parcels import Parcel, take
from tests.contract.web import environment
from tests.factories.products import make_product
from tests.threads import until
from tests.webhooks.hooks import Hook, pump
from tests.webhooks.receivers import OK, Answer, Received, Receiver


def take_all(app: Flask, lease_seconds: float = 60) -> list[Parcel]:
    """What is due, taken as by a process that then does nothing with it."""
    moment = now()
    with app.app_context(), transaction() as session:
        webhooks = queue.due_webhooks(session, moment)
        most = {webhook.id: 100 for webhook in webhooks}
        return take(session, webhooks, most, moment, moment + timedelta(seconds=lease_seconds))


class BrokenSender(Sender):
    """One with a bug."""

    def __init__(self) -> None:
        super().__init__(http=True, networks=[], seconds=1)

    def send(self, parcel: Parcel) -> Result:
        raise RuntimeError(parcel.url)


def record(app: Flask, *results: Result) -> None:
    with app.app_context(), transaction() as session:
        outcomes.record(session, results)


@pytest.fixture
def relayed(hook: Hook) -> Hook:
    """A webhook with three events to send."""
    for _ in range(3):
        make_product(hook.app)
    with hook.app.app_context():
        relay()
    return hook


def test_what_one_has_taken_nobody_else_takes(relayed: Hook) -> None:
    assert len(take_all(relayed.app)) == 3
    assert take_all(relayed.app) == []


def test_who_takes_does_not_wait_for_another_who_does(relayed: Hook) -> None:
    with (
        ThreadPoolExecutor(1) as threads,
        relayed.app.app_context(),
        transaction() as session,
    ):
        session.execute(select(Delivery.id).with_for_update())
        assert threads.submit(take_all, relayed.app).result(timeout=5) == []


def test_the_oldest_are_taken_first(relayed: Hook) -> None:
    events = relayed.api.get("/events?types=product.*").get_json()["items"]
    assert [str(it.event_id) for it in take_all(relayed.app)] == [it["id"] for it in events]


def test_a_lease_that_has_ended_is_taken_over(relayed: Hook) -> None:
    first = take_all(relayed.app)
    relayed.set_back(seconds=61)
    second = take_all(relayed.app)
    assert {it.delivery_id for it in first} == {it.delivery_id for it in second}


def test_a_late_result_is_logged_and_changes_nothing(relayed: Hook) -> None:
    late, *_ = take_all(relayed.app)
    relayed.set_back(seconds=61)
    again = next(it for it in take_all(relayed.app) if it.delivery_id == late.delivery_id)
    record(relayed.app, Result(late, {}, now(), 5, status=500))
    path = f"{relayed.path}/deliveries/{late.delivery_id}"
    delivery = relayed.api.get(path).get_json()
    assert (delivery["state"], delivery["attempts"], len(delivery["tries"])) == ("pending", 0, 1)
    record(relayed.app, Result(again, {}, now(), 5, status=200))
    record(relayed.app, Result(late, {}, now(), 5, status=500))
    assert relayed.api.get(path).get_json()["state"] == "delivered"


def test_results_for_what_was_removed_are_dropped(relayed: Hook) -> None:
    parcels = take_all(relayed.app)
    relayed.api.delete(relayed.path, headers={"If-Match": "*"})
    record(relayed.app, *(Result(it, {}, now(), 5, status=500) for it in parcels))
    assert relayed.api.get("/webhooks").get_json()["items"] == []


def test_stopping_waits_for_requests_under_way(relayed: Hook, receiver: Receiver) -> None:
    def slowly(_received: Received) -> Answer:
        until(lambda: stopping)
        return OK

    stopping: list[bool] = []
    receiver.answer = slowly
    pump(relayed.app)
    until(lambda: receiver.received)
    stopping.append(True)
    with relayed.app.app_context():
        jobs.stop()
    states = [it["state"] for it in relayed.deliveries()]
    assert sorted(states) == ["delivered", "pending", "pending"]


def test_stopping_gives_back_what_has_not_begun(hook: Hook, receiver: Receiver) -> None:
    make_product(hook.app)
    hook.attempt()
    receiver.answer = receiver.hang
    for _ in range(WIDTH + 2):
        make_product(hook.app)
    pump(hook.app)
    until(lambda: len(receiver.received) == 1 + WIDTH)
    assert take_all(hook.app) == []
    with hook.app.app_context():
        jobs.stop()
    assert len({str(it.event_id) for it in take_all(hook.app)} - set(receiver.ids)) == 2


def test_after_a_stop_the_next_run_begins_anew(relayed: Hook, receiver: Receiver) -> None:
    with relayed.app.app_context():
        jobs.deliver()
        jobs.stop()
    pump(relayed.app)
    until(lambda: len(set(receiver.ids)) == 3)


def test_what_a_bug_keeps_from_being_sent_leaves_its_place_to_the_next(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    make_product(hook.app)
    with hook.app.app_context():
        relay()
        dispatcher = Dispatcher(entering_application(), BrokenSender(), seconds=1)
        dispatcher.pump()
        until(lambda: hook.delivery()["attempts"] == 1)
        hook.set_back(seconds=7)
        dispatcher.pump()
        until(lambda: hook.delivery()["attempts"] == 2)
        dispatcher.stop()
    assert hook.delivery()["error"] == "The request could not be made."
    errors = [it.msg["event"] for it in caplog.records if it.levelname == "ERROR"]
    assert errors == ["delivery failed"] * 2


KILLED = """
import time
from stockroom.app import create_app
from stockroom.webhooks import jobs
app = create_app()
with app.app_context():
    jobs.deliver()
print("sent", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_held_is_sent_by_another(
    relayed: Hook, receiver: Receiver, settings: Settings
) -> None:
    receiver.answer = receiver.hang
    served = replace(settings, webhook_http=True, webhook_networks=["127.0.0.0/8"])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=ROOT, env=environment(served), stdout=subprocess.PIPE
    ) as process:
        until(lambda: receiver.received)
        process.kill()
    receiver.released.set()
    receiver.answers(200)
    pump(relayed.app)
    until(lambda: len(relayed.deliveries(state="delivered")) >= 2)
    relayed.set_back(seconds=15 + 61)
    pump(relayed.app)
    until(lambda: len(relayed.deliveries(state="delivered")) == 3)
    assert len(set(receiver.ids)) == 3
    assert len(receiver.ids) == 4

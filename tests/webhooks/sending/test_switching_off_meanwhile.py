"""Events that are handed on while webhooks change: none is left to one that is switched off."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.outbox.relay import relay
from stockroom.webhooks import service
from stockroom.webhooks.models import Webhook
from stockroom.webhooks.sending import outcomes
from stockroom.webhooks.sending.attempt import Result
from tests.factories.products import make_product
from tests.locks import someone_waits, waiting
from tests.threads import until
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver, parcel


def hand_on(app: Flask) -> None:
    with app.app_context():
        relay()


def answered(hook: Hook, status: int) -> Result:
    """What came back for an event that is not kept any more."""
    sent = replace(parcel("http://shop.example/"), webhook_id=UUID(hook.id))
    return Result(sent, {}, now(), 5, status=status)


def record(app: Flask, *results: Result) -> None:
    with app.app_context(), transaction() as session:
        outcomes.record(session, results)


def switch_off_by_hand(hook: Hook) -> None:
    service.change(UUID(hook.id), {"is_active": False})


def switch_off_as_gone(hook: Hook) -> None:
    record(hook.app, answered(hook, 410))


@pytest.mark.parametrize("switch_off", [switch_off_by_hand, switch_off_as_gone])
def test_an_event_that_meets_the_switching_off_does_not_wait_for_ever(
    hook: Hook, switch_off: Callable[[Hook], None]
) -> None:
    make_product(hook.app)
    with ThreadPoolExecutor(1) as threads, hook.app.app_context(), transaction():
        switch_off(hook)
        relayed = threads.submit(hand_on, hook.app)
        until(lambda: relayed.done() or someone_waits(hook.app))
    relayed.result()
    assert hook.read()["is_active"] is False
    assert hook.deliveries(state="pending") == []


def test_handing_on_does_not_deadlock_with_results_of_two_webhooks(
    hook: Hook, other_receiver: Receiver
) -> None:
    """The second recovers and the first fails, while both are to get an event."""
    other = Hook.create(hook.app, hook.api, other_receiver)
    record(hook.app, answered(other, 500))
    make_product(hook.app)
    with ThreadPoolExecutor(2) as threads, hook.app.app_context(), transaction() as session:
        session.execute(select(Webhook).where(Webhook.id == UUID(hook.id)).with_for_update())
        relayed = threads.submit(hand_on, hook.app)
        until(lambda: waiting() == 1)
        recorded = threads.submit(record, hook.app, answered(other, 200), answered(hook, 500))
        until(lambda: waiting() == 2)
    for done in (recorded, relayed):
        done.result()
    assert [len(it.deliveries()) for it in (hook, other)] == [1, 1]

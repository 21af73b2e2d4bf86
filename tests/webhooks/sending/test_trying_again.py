"""What follows when a receiver refuses, redirects, or says nothing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from stockroom.outbox.relay import relay
from tests.factories.products import make_product
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver


def due_in(delivery: dict[str, str]) -> float:
    """Seconds from the last attempt to the next."""
    due = datetime.fromisoformat(delivery["due_at"])
    return (due - datetime.now(UTC)).total_seconds()


def test_a_failed_delivery_is_tried_again_with_the_same_id_and_body(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.answers(503)
    make_product(hook.app)
    delivery = hook.attempt()
    assert delivery["state"] == "pending"
    assert 3 < due_in(delivery) < 7
    receiver.answers(204)
    hook.set_back(seconds=7)
    delivery = hook.attempt(2)
    assert (delivery["state"], len(delivery["tries"])) == ("delivered", 2)
    first, second = receiver.received
    assert (first.message_id, first.body) == (second.message_id, second.body)


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_honoured(hook: Hook, receiver: Receiver, status: int) -> None:
    receiver.answers(status, Retry_After="120")
    make_product(hook.app)
    assert 115 < due_in(hook.attempt()) < 121


def test_retry_after_may_be_a_date(hook: Hook, receiver: Receiver) -> None:
    moment = datetime.now(UTC) + timedelta(hours=2)
    receiver.answers(503, Retry_After=format_datetime(moment, usegmt=True))
    make_product(hook.app)
    assert 7100 < due_in(hook.attempt()) < 7200


def test_a_redirect_is_a_failure_and_is_not_followed(
    hook: Hook, receiver: Receiver, other_receiver: Receiver
) -> None:
    receiver.answers(302, Location=other_receiver.url)
    make_product(hook.app)
    delivery = hook.attempt()
    assert (delivery["state"], delivery["status"]) == ("pending", 302)
    assert delivery["error"] == "Redirects are not followed."
    assert other_receiver.connections == 0


def test_a_delivery_is_given_up_after_a_day(hook: Hook, receiver: Receiver) -> None:
    receiver.answers(500)
    make_product(hook.app)
    with hook.app.app_context():
        relay()
    hook.set_back(hours=24)
    delivery = hook.attempt()
    assert delivery["state"] == "failed"
    assert delivery["finished_at"]


def test_a_receiver_that_answers_nothing_is_given_the_time_that_is_set(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.answer = receiver.hang
    make_product(hook.app)
    delivery = hook.attempt()
    assert delivery["error"] == "No answer within 1 seconds."
    # Of a second, not of the fifteen that are given where nothing is set.
    assert 1000 <= delivery["tries"][0]["milliseconds"] < 10_000

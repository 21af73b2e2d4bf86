"""From an event to its receiver: what is sent, how often, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask

from stockroom.core.transaction import transaction
from stockroom.outbox.relay import relay
from stockroom.webhooks.models import Delivery
from stockroom.webhooks.sending import queue
from stockroom.webhooks.sink import needed_after
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.locks import someone_waits
from tests.threads import until
from tests.webhooks.hooks import Hook, count, pump
from tests.webhooks.receivers import Receiver


def test_an_event_is_sent_as_the_api_shows_it_to_staff(
    hook: Hook, receiver: Receiver, staff: Api
) -> None:
    make_product(hook.app)
    hook.attempt()
    (sent,) = receiver.received
    body = sent.verify(hook.secret)
    shown = staff.get("/events?types=product.*").get_json()["items"][0]
    assert body == shown | {"timestamp": shown["occurred_at"]}
    assert sent.message_id == shown["id"]
    assert sent.headers["User-Agent"].startswith("Stockroom/")
    assert sent.headers["Content-Type"] == "application/json"


def test_only_events_that_a_pattern_chooses_are_sent(
    sending_app: Flask, manager: Api, receiver: Receiver, other_receiver: Receiver
) -> None:
    created = Hook.create(sending_app, manager, receiver, "product.created", "webhook.*")
    everything = Hook.create(sending_app, manager, other_receiver, "*", "product.*")
    product = make_product(sending_app)
    manager.delete(f"/products/{product.id}", if_match=1)
    pump(sending_app)
    assert [it["type"] for it in created.deliveries()][:1] == ["product.created"]
    assert {it["type"] for it in created.deliveries()} <= {"product.created", "webhook.created"}
    assert [it["type"] for it in everything.deliveries()][:2] == [
        "product.archived",
        "product.created",
    ]


def test_an_event_becomes_one_delivery_however_often_the_relay_runs(hook: Hook) -> None:
    make_product(hook.app)
    for _ in range(3):
        pump(hook.app)
    assert len(hook.deliveries()) == 1


def test_events_from_before_a_webhook_are_not_sent(
    sending_app: Flask, manager: Api, receiver: Receiver
) -> None:
    make_product(sending_app)
    pump(sending_app)
    hook = Hook.create(sending_app, manager, receiver)
    pump(sending_app)
    assert hook.deliveries() == []


def test_the_log_shows_what_was_sent_and_what_came_back(hook: Hook, receiver: Receiver) -> None:
    receiver.answers(500, b"\x00\xffout of " + b"t" * 2000)
    make_product(hook.app)
    delivery = hook.attempt()
    (attempt,) = delivery["tries"]
    (sent,) = receiver.received
    assert delivery["request_body"].encode() == sent.body
    assert attempt["request_headers"].items() <= sent.headers.items()
    assert attempt["status"] == delivery["status"] == 500
    assert attempt["response"] == "\ufffdout of " + "t" * 1015
    assert 0 <= attempt["milliseconds"] < 1000


def test_an_event_is_sent_once_more_under_the_same_id(hook: Hook, receiver: Receiver) -> None:
    make_product(hook.app)
    first = hook.attempt()
    again = hook.api.post(f"{hook.path}/deliveries/{first['id']}/redeliver")
    assert (again.status_code, again.get_json()["event_id"]) == (202, first["event_id"])
    hook.attempt()
    one, other = receiver.received
    assert (one.message_id, one.body) == (other.message_id, other.body)


def test_a_test_goes_to_its_own_webhook_alone_whatever_it_waits_for(
    hook: Hook, receiver: Receiver, other_receiver: Receiver
) -> None:
    curious = Hook.create(hook.app, hook.api, other_receiver, "*")
    tested = hook.api.post(f"{hook.path}/test")
    assert (tested.status_code, tested.get_json()["type"]) == (202, "webhook.tested")
    hook.attempt()
    assert receiver.received[0].verify(hook.secret)["subject"] == hook.id
    assert "webhook.tested" not in {it["type"] for it in curious.deliveries()}


def test_a_test_that_is_sent_once_more_while_it_is_relayed_arrives_twice(
    hook: Hook, receiver: Receiver
) -> None:
    tested = hook.api.post(f"{hook.path}/test").get_json()
    path = f"{hook.path}/deliveries/{tested['id']}/redeliver"
    with ThreadPoolExecutor(1) as threads, hook.app.app_context(), transaction():
        relay()
        again = threads.submit(hook.api.post, path)
        until(lambda: someone_waits(hook.app))
    assert again.result().status_code == 202
    pump(hook.app)
    until(lambda: len(hook.deliveries(state="delivered")) == 2)
    assert receiver.ids == [tested["event_id"]] * 2


def test_deliveries_are_listed_newest_first_by_state_and_page(
    hook: Hook, receiver: Receiver
) -> None:
    for _ in range(5):
        make_product(hook.app)
    pump(hook.app)
    until(lambda: len(hook.deliveries(state="delivered")) == 5)
    path, seen = f"{hook.path}/deliveries?limit=2&count=true", []
    while path:
        page = hook.api.get(path)
        seen += page.get_json()["items"]
        path = page.headers["Link"].split(">")[0][1:] if "Link" in page.headers else ""
    assert page.get_json()["total"] == 5
    times = [it["created_at"] for it in seen]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    assert hook.deliveries(state="failed") == []


def test_a_delivery_of_one_webhook_is_not_found_under_another(
    hook: Hook, other_receiver: Receiver
) -> None:
    make_product(hook.app)
    delivery = hook.attempt()
    other = Hook.create(hook.app, hook.api, other_receiver)
    answer = hook.api.get(f"{other.path}/deliveries/{delivery['id']}")
    assert_problem(answer, 404, "delivery-not-found")


def test_events_are_kept_until_their_deliveries_are_through(hook: Hook, receiver: Receiver) -> None:
    receiver.answers(500)
    make_product(hook.app)
    hook.attempt()
    position = hook.api.get("/events?types=product.*").get_json()["items"][0]["position"]
    with hook.app.app_context(), transaction() as session:
        assert needed_after(session) == position - 1
        queue.give_up(session, UUID(hook.id), "", datetime.now(UTC))
        assert needed_after(session) is None


def test_what_is_removed_takes_the_log_along(hook: Hook) -> None:
    make_product(hook.app)
    hook.attempt()
    hook.api.delete(hook.path, headers={"If-Match": "*"})
    assert count(hook.app, Delivery) == 0

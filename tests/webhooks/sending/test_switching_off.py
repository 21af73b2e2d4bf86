"""Endpoints that fail for long, or that say that they are gone, are switched off."""

from collections.abc import Sequence
from typing import Any

from flask import Flask

from stockroom.core.encryption import decrypt
from stockroom.core.permissions import Role
from stockroom.mail import service as mail
from stockroom.mail.rendering import parameters
from tests.factories.products import make_product
from tests.factories.users import make_user
from tests.threads import until
from tests.webhooks.hooks import Hook, pump
from tests.webhooks.receivers import Receiver


def events_of(hook: Hook, kind: str) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = hook.api.get(f"/events?types={kind}").get_json()["items"]
    return found


def fail_for(hook: Hook, receiver: Receiver, hours: float) -> None:
    """Fail, and fail again after so long."""
    receiver.answers(500)
    make_product(hook.app)
    hook.attempt()
    hook.set_back(hours=hours)
    pump(hook.app)
    until(lambda: hook.deliveries()[0]["attempts"] == 2)


def test_an_endpoint_is_failing_from_its_first_failure_to_its_next_success(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.answers(500)
    make_product(hook.app)
    attempted = hook.attempt()["tries"][0]["started_at"]
    assert hook.read()["failing_since"] == attempted
    receiver.answers(200)
    hook.set_back(seconds=7)
    hook.attempt(2)
    assert hook.read()["failing_since"] is None


def test_an_endpoint_that_fails_for_a_day_is_switched_off(hook: Hook, receiver: Receiver) -> None:
    fail_for(hook, receiver, hours=24)
    assert hook.read()["is_active"] is False
    assert hook.read()["disabled_reason"].startswith("Every attempt since ")
    assert {it["state"] for it in hook.deliveries()} == {"failed"}
    pump(hook.app)
    (event,) = events_of(hook, "webhook.disabled")
    assert event["subject"] == hook.id
    assert event["data"]["host"] == "127.0.0.1"


def test_an_endpoint_that_fails_for_less_stays_on(hook: Hook, receiver: Receiver) -> None:
    fail_for(hook, receiver, hours=23)
    assert hook.read()["is_active"]


def test_an_endpoint_that_is_gone_is_switched_off_at_once(hook: Hook, receiver: Receiver) -> None:
    receiver.answers(410)
    make_product(hook.app)
    make_product(hook.app)
    pump(hook.app)
    until(lambda: not hook.read()["is_active"])
    assert {it["state"] for it in hook.deliveries()} == {"failed"}
    assert hook.read()["disabled_reason"] == "The receiver answered 410: it is gone."


def test_every_active_administrator_is_sent_a_mail(hook: Hook, receiver: Receiver) -> None:
    other = make_user(hook.app, role=Role.ADMIN)
    make_user(hook.app, role=Role.STAFF)
    receiver.answers(410)
    make_product(hook.app)
    pump(hook.app)
    until(lambda: not hook.read()["is_active"])
    with hook.app.app_context():
        mails = mail.newest()
        params = [parameters(decrypt(it.params or "")) for it in mails]
    assert len(mails) == 2
    assert other.email in [it.address for it in mails]
    assert [it["webhook_id"] for it in params] == [hook.id, hook.id]


def test_one_that_is_switched_on_again_begins_anew(hook: Hook, receiver: Receiver) -> None:
    fail_for(hook, receiver, hours=24)
    body = {"is_active": True}
    on = hook.api.patch(hook.path, json=body, headers={"If-Match": "*"}).get_json()
    assert (on["is_active"], on["failing_since"], on["disabled_reason"]) == (True, None, None)
    receiver.answers(200)
    failed = hook.deliveries(state="failed")[0]["id"]
    assert hook.api.post(f"{hook.path}/deliveries/{failed}/redeliver").status_code == 202
    assert hook.attempt()["state"] == "delivered"


def test_one_that_is_switched_off_by_hand_fails_what_is_to_come(
    hook: Hook, receiver: Receiver, sending_app: Flask
) -> None:
    receiver.answers(500)
    make_product(hook.app)
    hook.attempt()
    hook.api.patch(hook.path, json={"is_active": False}, headers={"If-Match": "*"})
    make_product(hook.app)
    pump(sending_app)
    assert [it["state"] for it in hook.deliveries()] == ["failed"]

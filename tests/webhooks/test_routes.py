"""Webhooks over REST: who may, what is accepted, what is shown."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from stockroom.extensions import db
from tests.api import Api, assert_problem
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver

URL = "https://93.184.216.34/hook?key=swordfish"


def create(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("/webhooks", json={"url": URL, "events": ["*"], **changes})
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.get_json()
    return webhook


def test_a_webhook_is_created_with_a_secret_that_is_not_shown_again(admin: Api) -> None:
    webhook = create(admin, description="The shop")
    assert webhook.pop("secret").startswith("whsec_")
    assert admin.get(f"/webhooks/{webhook['id']}").get_json() == webhook
    assert admin.get("/webhooks").get_json()["items"] == [webhook]


def test_location_and_etag_lead_on(admin: Api) -> None:
    response = admin.post("/webhooks", json={"url": URL, "events": ["*"]})
    read = admin.get(response.headers["Location"])
    assert read.headers["ETag"] == response.headers["ETag"]
    unchanged = {"If-None-Match": read.headers["ETag"]}
    assert admin.get(response.headers["Location"], headers=unchanged).status_code == 304


def test_the_secret_is_stored_encrypted(admin: Api, app: Flask) -> None:
    secret = create(admin)["secret"]
    with app.app_context(), db.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT webhooks::text FROM webhooks").scalar_one()
    assert secret.removeprefix("whsec_") not in stored


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/{id}"),
        ("PATCH", "/{id}"),
        ("DELETE", "/{id}"),
        ("POST", "/{id}/test"),
        ("POST", "/{id}/rotate-secret"),
        ("GET", "/{id}/deliveries"),
        ("GET", "/{id}/deliveries/{id}"),
        ("POST", "/{id}/deliveries/{id}/redeliver"),
    ],
)
def test_webhooks_are_for_administrators(staff: Api, nobody: Api, method: str, path: str) -> None:
    address = f"/webhooks{path.format(id=uuid4())}"
    assert_problem(staff.request(method, address), 403, "permission-denied")
    assert_problem(nobody.request(method, address), 401, "unauthenticated")


@pytest.mark.parametrize(
    "events",
    [[], ["product"], ["product.*.x"], ["*.created"], ["Product.created"], ["a." + "b" * 63],
     ["product.*"] * 51, "*", [None]],
)  # fmt: skip
def test_what_is_no_list_of_patterns_is_refused(admin: Api, events: Any) -> None:
    response = admin.post("/webhooks", json={"url": URL, "events": events})
    assert "events" in str(assert_problem(response, 422, "validation-error")["errors"])


def test_patterns_may_name_types_that_are_yet_to_come(admin: Api) -> None:
    events = ["*", "product.*", "order.paid", "a." + "b" * 62]
    assert create(admin, events=events)["events"] == events


def test_a_change_needs_the_version_it_was_made_from(admin: Api) -> None:
    path = f"/webhooks/{create(admin)['id']}"
    body = {"events": ["user.*"], "description": None}
    assert_problem(admin.patch(path, json=body), 428, "precondition-required")
    changed = admin.patch(path, json=body, if_match=1)
    assert changed.get_json()["events"] == ["user.*"]
    assert_problem(admin.patch(path, json=body, if_match=1), 412, "precondition-failed")


def test_a_webhook_is_removed(admin: Api) -> None:
    path = f"/webhooks/{create(admin)['id']}"
    assert_problem(admin.delete(path), 428, "precondition-required")
    assert admin.delete(path, if_match=1).status_code == 204
    assert_problem(admin.get(path), 404, "webhook-not-found")


def test_a_webhook_that_is_switched_off_is_sent_nothing(admin: Api) -> None:
    path = f"/webhooks/{create(admin)['id']}"
    off = admin.patch(path, json={"is_active": False}, if_match=1).get_json()
    assert off["disabled_reason"] == "Switched off by an administrator."
    assert_problem(admin.post(f"{path}/test"), 409, "webhook-not-active")
    on = admin.patch(path, json={"is_active": True}, if_match=2).get_json()
    assert on["disabled_reason"] is None
    assert admin.post(f"{path}/test").status_code == 202


def test_the_list_can_be_narrowed_to_those_that_are_off(admin: Api) -> None:
    create(admin)
    off = create(admin)["id"]
    admin.patch(f"/webhooks/{off}", json={"is_active": False}, if_match=1)
    listed = admin.get("/webhooks?is_active=false&count=true").get_json()
    assert [it["id"] for it in listed["items"]] == [off]
    assert listed["total"] == 1


def test_each_act_on_a_webhook_is_one_event_without_its_secrets(
    sending_app: Flask, manager: Api, receiver: Receiver
) -> None:
    hook = Hook.create(sending_app, manager, receiver, "user.*")
    manager.patch(hook.path, json={"url": f"{receiver.url}?key=swordfish"}, if_match=1)
    manager.post(f"{hook.path}/rotate-secret")
    manager.post(f"{hook.path}/test")
    manager.delete(hook.path, if_match=3)
    with sending_app.app_context(), db.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT type, data::text FROM events WHERE subject = %s ORDER BY sequence", (hook.id,)
        ).all()
    assert [row.type for row in rows] == [
        "webhook.created",
        "webhook.updated",
        "webhook.secret_rotated",
        "webhook.tested",
        "webhook.removed",
    ]
    assert all('"host": "127.0.0.1"' in row.data for row in rows)
    assert not [row for row in rows if "swordfish" in row.data or "/hook" in row.data]


def test_what_there_is_not_is_not_found(admin: Api) -> None:
    missing, path = uuid4(), f"/webhooks/{create(admin)['id']}"
    assert_problem(admin.get(f"/webhooks/{missing}"), 404, "webhook-not-found")
    assert_problem(admin.get(f"/webhooks/{missing}/deliveries"), 404, "webhook-not-found")
    assert_problem(admin.get(f"{path}/deliveries/{missing}"), 404, "delivery-not-found")
    again = admin.post(f"{path}/deliveries/{missing}/redeliver")
    assert_problem(again, 404, "delivery-not-found")

"""Idempotency-Key: what is sent again is done once, and answered as the first time."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from stockroom.core import idempotency_keys
from stockroom.core.database import now
from stockroom.core.idempotency_keys import IdempotencyKey
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.products.models import Product
from stockroom.users import service as users
from tests.api import Api, assert_problem
from tests.factories.products import product_body
from tests.factories.users import make_user, token_for
from tests.outbox.events import all_events
from tests.threads import at_once, elsewhere

KEY = {"Idempotency-Key": "order-1001"}
COPIES = 30


def count(app: Flask, model: type[Any]) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_request_that_is_sent_again_gets_the_first_answer(app: Flask, staff: Api) -> None:
    body = product_body()
    first = staff.post("/products", json=body, headers=KEY)
    again = staff.post("/products", json=body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    for name in ("Content-Type", "ETag", "Location"):
        assert again.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(app, Product) == 1
    assert [event.type for event in all_events(app)].count("product.created") == 1


def test_what_is_made_under_a_key_has_the_version_that_its_answer_names(staff: Api) -> None:
    made = staff.post("/products", json=product_body(stock=3), headers=KEY)
    read = staff.get(made.headers["Location"])
    assert read.headers["ETag"] == made.headers["ETag"]


def test_without_a_key_the_same_request_is_another_one(app: Flask, staff: Api) -> None:
    body = product_body()
    staff.post("/products", json=body)
    assert_problem(staff.post("/products", json=body), 409, "sku-taken")
    assert count(app, IdempotencyKey) == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [("/products", product_body(name="Another")), ("/products?", product_body())],
    ids=["body", "path"],
)
def test_a_key_stands_for_one_request(staff: Api, path: str, body: dict[str, Any]) -> None:
    staff.post("/products", json=product_body(), headers=KEY)
    problem = assert_problem(
        staff.post(path, json=body, headers=KEY), 422, "idempotency-key-reused"
    )
    assert problem["errors"].keys() == {"Idempotency-Key"}


def test_the_key_of_one_caller_is_free_for_another(app: Flask, staff: Api, admin: Api) -> None:
    staff.post("/products", json=product_body(), headers=KEY)
    answer = admin.post("/products", json=product_body(), headers=KEY)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert count(app, Product) == 2


def test_what_was_refused_leaves_the_key_free(app: Flask, staff: Api) -> None:
    taken = product_body()
    staff.post("/products", json=taken)
    assert_problem(staff.post("/products", json=taken, headers=KEY), 409, "sku-taken")
    assert_problem(staff.post("/products", json={}, headers=KEY), 422, "validation-error")
    assert count(app, IdempotencyKey) == 0
    assert staff.post("/products", json=product_body(), headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "tab\there", "\xe9t\xe9"])
def test_what_is_no_key_is_refused(staff: Api, key: str) -> None:
    answer = staff.post("/products", json=product_body(), headers={"Idempotency-Key": key})
    problem = assert_problem(answer, 422, "validation-error")
    assert problem["errors"].keys() == {"Idempotency-Key"}


def test_a_replay_needs_the_permission_as_the_first_did(app: Flask) -> None:
    user, body = make_user(app, role=Role.STAFF), product_body()
    api = Api(app, token_for(app, user))
    assert api.post("/products", json=body, headers=KEY).status_code == 201
    with app.app_context():
        users.change(user.id, {"role": Role.CUSTOMER})
    demoted = Api(app, token_for(app, user))
    assert_problem(demoted.post("/products", json=body, headers=KEY), 403, "permission-denied")


def test_a_key_is_good_for_a_day(app: Flask, staff: Api) -> None:
    body = product_body()
    staff.post("/products", json=body, headers=KEY)
    _age(app, timedelta(hours=25))
    assert_problem(staff.post("/products", json=body, headers=KEY), 409, "sku-taken")
    assert staff.post("/products", json=product_body(), headers=KEY).status_code == 201


def test_keys_of_yesterday_are_removed(app: Flask, staff: Api) -> None:
    staff.post("/products", json=product_body(), headers={"Idempotency-Key": "old"})
    _age(app, timedelta(hours=25))
    staff.post("/products", json=product_body(), headers=KEY)
    with app.app_context():
        idempotency_keys.remove_expired()
        with reading() as session:
            assert session.scalars(select(IdempotencyKey.key)).all() == [KEY["Idempotency-Key"]]


def test_a_secret_that_is_shown_once_is_kept_encrypted(app: Flask, admin: Api) -> None:
    body = {"name": "Till", "scopes": ["account:own"]}
    first = admin.post("/auth/api-keys", json=body, headers=KEY)
    again = admin.post("/auth/api-keys", json=body, headers=KEY)
    assert again.get_json() == first.get_json()
    with app.app_context(), reading() as session:
        kept = session.scalars(select(IdempotencyKey.answer)).one()
    assert kept
    assert first.get_json()["key"] not in kept


def test_what_is_kept_of_a_request_gives_no_password_away(app: Flask, admin: Api) -> None:
    """A quick hash of the body would let whoever has the table guess at it."""
    body = json.dumps({"email": "ada@example.com", "password": "correct horse"}).encode()
    sent = {"data": body, "content_type": "application/json", "headers": KEY}
    assert admin.post("/users", **sent).status_code == 201
    with app.app_context(), reading() as session:
        kept = session.scalars(select(IdempotencyKey.fingerprint)).one()
    for asked in (body, b"POST /api/v1/users?\0" + body):
        assert kept != hashlib.sha256(asked).hexdigest()


def test_an_answer_outlives_the_exchange_of_the_key_that_encrypts_it(
    app: Flask, staff: Api
) -> None:
    staff.post("/products", json=product_body(), headers=KEY)
    printed = app.test_cli_runner().invoke(args=["secrets", "reencrypt"]).output
    assert "answers: 1\n" in printed


def test_thirty_copies_at_once_do_it_once_and_get_one_answer(app: Flask) -> None:
    token, body = token_for(app, make_user(app, role=Role.STAFF)), product_body()

    def send(_: int) -> Any:
        return Api(app, token).post("/products", json=body, headers=KEY)

    answers = at_once(send, range(COPIES))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    assert count(app, Product) == 1


def test_a_copy_that_waits_too_long_is_told_when_to_come_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockroom.core.http.idempotency.WAIT_SECONDS", 0.05)
    user = make_user(app, role=Role.STAFF)
    api, body = Api(app, token_for(app, user)), product_body()
    with app.app_context(), transaction() as session:
        idempotency_keys.claim(session, user.id, KEY["Idempotency-Key"], "of the first")
        answer = elsewhere(lambda: api.post("/products", json=body, headers=KEY))
    problem = assert_problem(answer, 409, "request-in-flight")
    assert "under way" in problem["title"]
    assert int(answer.headers["Retry-After"]) > 0


def test_every_route_that_makes_or_moves_something_for_a_caller_takes_a_key(app: Flask) -> None:
    with_key = {
        operation["operationId"]
        for path in app.test_client().get("/openapi.json").get_json()["paths"].values()
        for method, operation in path.items()
        if method == "post"
        and any(it.get("name") == "Idempotency-Key" for it in operation.get("parameters", []))
    }
    assert with_key >= {
        "create_api_key",
        "create_product",
        "create_ticket",
        "create_user",
        "create_webhook",
        "redeliver",
        "rotate_webhook_secret",
        "send_test_event",
    }


def test_a_webhook_can_be_made_tested_and_given_a_secret_under_keys(admin: Api) -> None:
    """Views whose services open several transactions, which are one here."""
    body = {"url": "https://93.184.216.34/hook", "events": ["*"]}
    webhook = admin.post("/webhooks", json=body, headers={"Idempotency-Key": "make"}).get_json()
    path = f"/webhooks/{webhook['id']}"
    for act, status in (("test", 202), ("rotate-secret", 200)):
        first = admin.post(f"{path}/{act}", headers={"Idempotency-Key": act})
        again = admin.post(f"{path}/{act}", headers={"Idempotency-Key": act})
        assert first.status_code == status, first.text
        assert again.data == first.data
    deliveries = admin.get(f"{path}/deliveries").get_json()["items"]
    again_path = f"{path}/deliveries/{deliveries[0]['id']}/redeliver"
    assert admin.post(again_path, headers={"Idempotency-Key": "again"}).status_code == 202
    assert len(admin.get(f"{path}/deliveries").get_json()["items"]) == 2


def test_a_removed_account_leaves_no_keys(app: Flask, staff: Api) -> None:
    staff.post("/products", json=product_body(), headers=KEY)
    exported = staff.get("/users/me/export").get_json()["parts"]
    assert [it["key"] for it in exported["idempotency_keys"]] == ["order-1001"]
    own = staff.get("/users/me")
    assert staff.delete("/users/me", if_match=own.headers["ETag"]).status_code == 204
    assert count(app, IdempotencyKey) == 0


def _age(app: Flask, by: timedelta) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(IdempotencyKey).values(created_at=now() - by))

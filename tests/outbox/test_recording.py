"""What is recorded: with the change or not at all, one event an act, by whom, and how much."""

import io
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from stockroom.auth import service as auth
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.products.batch import upsert
from stockroom.products.models import ProductStatus
from stockroom.products.schemas import ProductInputSchema
from stockroom.transfers.formats import Format
from stockroom.transfers.imports import import_file
from stockroom.transfers.product_rows import ProductRows
from stockroom.users import service as users
from stockroom.verification import service as verification
from tests.api import Api
from tests.factories.products import make_product, product_body
from tests.factories.users import PASSWORD, make_user
from tests.outbox.events import all_events, last_event, types_of


class Interruption(Exception):
    pass


# In the transaction of the change


def test_what_is_rolled_back_has_no_event(app: Flask, staff: Api) -> None:
    taken = make_product(app)
    before = len(all_events(app))
    assert staff.post("/products", json=product_body(sku=taken.sku)).status_code == 409
    path = f"/products/{taken.id}"
    assert staff.patch(path, json={"name": "Other"}, if_match=7).status_code == 412
    assert len(all_events(app)) == before


def test_an_error_after_the_recording_takes_the_event_back(app: Flask) -> None:
    def fail() -> None:
        with transaction() as session:
            record(session, EventType.PRODUCT_UPDATED, UUID(int=1), {})
            raise Interruption

    with app.app_context(), pytest.raises(Interruption):
        fail()
    assert not all_events(app)


def test_a_dry_run_has_no_event(app: Flask) -> None:
    rows = [ProductInputSchema().load(product_body())]
    with app.app_context():
        upsert(rows, dry_run=True)
    assert not all_events(app)


def test_events_of_one_transaction_keep_their_order(app: Flask) -> None:
    subjects = [UUID(int=number) for number in range(50)]
    with app.app_context(), transaction() as session:
        for subject in subjects:
            record(session, EventType.PRODUCT_UPDATED, subject, {})
    assert [event.subject for event in all_events(app)] == subjects


# By whom


def test_an_event_names_the_account_and_the_request(app: Flask, staff: Api) -> None:
    me = UUID(staff.get("/users/me").get_json()["id"])
    staff.post("/products", json=product_body(), headers={"X-Request-ID": "order-66"})
    event = last_event(app)
    assert (event.actor_id, event.request_id) == (me, "order-66")


def test_what_nobody_in_particular_does_names_nobody(app: Flask, staff: Api, nobody: Api) -> None:
    staff.post("/products", json=product_body())
    nobody.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})
    event = last_event(app)
    assert (event.type, event.actor_id) == ("user.login_failed", None)


def test_whoever_registers_is_the_actor(app: Flask, nobody: Api) -> None:
    nobody.post("/auth/register", json={"email": "ada@example.com", "password": PASSWORD})
    event = last_event(app)
    assert (event.type, event.actor_id) == ("user.registered", event.subject)


def test_what_a_command_does_names_neither_account_nor_request(app: Flask, staff: Api) -> None:
    staff.post("/products", json=product_body())
    make_product(app)
    event = last_event(app)
    assert (event.actor_id, event.request_id) == (None, None)


# One event an act


def test_every_act_on_an_account_has_one_event(app: Flask) -> None:
    user = make_user(app)
    with app.app_context():
        users.change(user.id, {"role": Role.STAFF, "full_name": "Ada"})
        auth.set_password(user.id, PASSWORD)
        users.change(user.id, {"is_active": False})
        users.remove(user.id)
    assert types_of(app, user.id) == [
        "user.created",
        "user.updated",
        "user.password_changed",
        "user.updated",
        "user.removed",
    ]


def test_a_registration_has_one_event(app: Flask) -> None:
    with app.app_context():
        user = verification.register(email="ada@example.com", password=PASSWORD)
    assert types_of(app, user.id) == ["user.registered"]


def test_every_act_on_a_product_has_one_event(app: Flask, staff: Api) -> None:
    created = staff.post("/products", json=product_body(sku="MUG")).get_json()
    path = f"/products/{created['id']}"
    staff.patch(path, json={"name": "Cup", "price": "2"}, if_match=1)
    staff.put(path, json=product_body(sku="MUG"), if_match=2)
    staff.delete(path, if_match=3)
    staff.patch(path, json={"status": "active"}, if_match=4)
    assert types_of(app, UUID(created["id"])) == [
        "product.created",
        "product.updated",
        "product.updated",
        "product.archived",
        "product.updated",
    ]


def test_a_change_that_changes_nothing_has_no_event(app: Flask, staff: Api) -> None:
    product, user = make_product(app, name="Mug"), make_user(app, full_name="Ada")
    staff.patch(f"/products/{product.id}", json={"name": "Mug"}, if_match=1)
    with app.app_context():
        users.change(user.id, {"full_name": "Ada"})
    assert types_of(app, product.id) == ["product.created"]
    assert types_of(app, user.id) == ["user.created"]


def test_a_batch_has_one_event_for_each_product_that_it_changes(app: Flask) -> None:
    same, other = make_product(app, name="Same"), make_product(app)
    rows = [
        product_body(sku=same.sku, name="Same"),
        product_body(sku=other.sku, name="Other"),
        product_body(sku="NEW"),
    ]
    with app.app_context():
        upsert([ProductInputSchema().load(row) for row in rows])
    told = [(event.type, event.data["sku"]) for event in all_events(app)[2:]]
    assert sorted(told) == [("product.created", "NEW"), ("product.updated", other.sku)]


def test_an_import_has_one_event_for_each_product_that_it_takes(app: Flask) -> None:
    file = io.BytesIO(b"sku,name,price\nA,First,1\nB,,1\nC,Third,1\n")
    with app.app_context():
        import_file(file, Format.CSV, ProductRows("tests"))
    assert [event.data["sku"] for event in all_events(app)] == ["A", "C"]


def test_an_event_counts_the_version_that_the_change_made(app: Flask, staff: Api) -> None:
    product = make_product(app)
    for version in (1, 2, 3):
        body = {"name": f"Version {version}"}
        staff.patch(f"/products/{product.id}", json=body, if_match=version)
    assert [event.data["version"] for event in all_events(app)[-4:]] == [1, 2, 3, 4]


# How much it says


def test_an_event_tells_the_facts_and_what_has_changed(app: Flask, staff: Api) -> None:
    product = make_product(app, sku="MUG", name="Mug", price="9.50")
    staff.patch(f"/products/{product.id}", json={"price": "8", "name": "Cup"}, if_match=1)
    data = last_event(app).data
    assert sorted(data.pop("changed")) == ["name", "price"]
    assert data == {
        "sku": "MUG",
        "status": "active",
        "name": "Cup",
        "price": "8.00",
        "currency": "EUR",
        "version": 2,
    }


@pytest.mark.parametrize(
    ("before", "after", "is_public"),
    [
        ("draft", "draft", False),
        ("draft", "active", True),
        ("active", "active", True),
        ("active", "draft", True),
        ("active", "archived", True),
        ("draft", "archived", False),
        ("archived", "draft", False),
    ],
)
def test_customers_are_told_of_what_they_see_or_saw(
    app: Flask, staff: Api, before: str, after: str, *, is_public: bool
) -> None:
    product = make_product(app, status=before)
    body = {"status": after, "name": "Another"}
    staff.patch(f"/products/{product.id}", json=body, if_match=1)
    first, second = all_events(app)[-2:]
    assert first.is_public is (before == "active")
    assert second.is_public is is_public


@pytest.mark.parametrize("status", [ProductStatus.DRAFT, ProductStatus.ARCHIVED])
def test_of_a_product_that_is_withdrawn_no_more_is_told(
    app: Flask, staff: Api, status: ProductStatus
) -> None:
    product = make_product(app, sku="MUG")
    body = {"status": status, "name": "Secret", "sku": "SECRET-2027"}
    staff.patch(f"/products/{product.id}", json=body, if_match=1)
    data: dict[str, Any] = last_event(app).data
    assert sorted(data.pop("changed")) == ["name", "sku", "status"]
    assert data == {"sku": "MUG", "status": status, "version": 2}


def test_events_on_accounts_are_not_public_and_name_no_person(app: Flask) -> None:
    user = make_user(app, email="ada@example.com", full_name="Ada Lovelace")
    with app.app_context():
        users.change(user.id, {"email": "lovelace@example.com"})
        auth.set_password(user.id, PASSWORD)
        users.remove(user.id)
    events = all_events(app)
    assert len(events) == 4
    assert not any(event.is_public for event in events)
    assert "ovelace" not in repr([event.data for event in events])
    assert "example.com" not in repr([event.data for event in events])

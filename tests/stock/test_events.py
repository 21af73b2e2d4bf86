"""What is told of stock: each change once, and to whom."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.api import Api
from tests.factories.products import make_product
from tests.factories.stock import make_location, make_reservation
from tests.outbox.events import all_events, relay_all


@pytest.fixture
def mug(app: Flask) -> UUID:
    return make_product(app, sku="MUG", stock=10).id


def told(app: Flask, *types: str) -> list[dict[str, Any]]:
    return [event.data for event in all_events(app) if event.type in types]


def test_a_movement_is_told_with_the_levels_after_it(app: Flask, staff: Api, mug: UUID) -> None:
    body = {"kind": "shipped", "quantity": 4, "reference": "order 7"}
    moved = staff.post(f"/products/{mug}/movements", json=body).get_json()
    event = [it for it in all_events(app) if it.type == "stock.changed"][-1]
    assert (event.subject, event.is_public) == (mug, True)
    assert event.data == {
        "sku": "MUG",
        "location": "main",
        "on_hand": 6,
        "reserved": 0,
        "available": 6,
        "movement": {
            "id": moved["id"],
            "kind": "shipped",
            "change": -4,
            "balance": 6,
            "occurred_at": moved["occurred_at"],
        },
    }


def test_a_reservation_is_told_from_its_beginning_to_its_end(
    app: Flask, staff: Api, mug: UUID
) -> None:
    reservation = make_reservation(app, mug, 3)
    staff.post(f"/reservations/{reservation.id}/extend", json={"hold_seconds": 3600})
    staff.post(f"/reservations/{reservation.id}/commit")
    events = [it for it in all_events(app) if it.type.startswith("reservation.")]
    assert [it.type for it in events] == [
        "reservation.created",
        "reservation.extended",
        "reservation.committed",
    ]
    assert {it.subject for it in events} == {reservation.id}
    assert not any(it.is_public for it in events)
    levels = told(app, "stock.changed")
    assert [(it["on_hand"], it["reserved"], bool(it["movement"])) for it in levels] == [
        (10, 0, True),
        (10, 3, False),
        (7, 0, True),
    ]


def test_a_transfer_is_told_of_both_places(app: Flask, staff: Api, mug: UUID) -> None:
    make_location(app, "shop")
    body = {"kind": "transferred", "quantity": 4, "to_location": "shop"}
    staff.post(f"/products/{mug}/movements", json=body)
    levels = told(app, "stock.changed")[-2:]
    assert [(it["location"], it["on_hand"]) for it in levels] == [("main", 6), ("shop", 4)]


def test_what_is_refused_is_not_told(app: Flask, staff: Api, mug: UUID) -> None:
    before = len(all_events(app))
    staff.post(f"/products/{mug}/movements", json={"kind": "shipped", "quantity": 11})
    staff.post("/reservations", json={"lines": [{"sku": "MUG", "quantity": 11}]})
    assert [it.type for it in all_events(app)[before:]] == []


def test_crossing_the_threshold_downwards_is_told_once(app: Flask, staff: Api) -> None:
    product = make_product(app, sku="CUP", stock=10, low_stock_threshold=4)
    first = make_reservation(app, product.id, 5)
    assert told(app, "stock.ran_low") == []
    second = make_reservation(app, product.id, 1)
    assert told(app, "stock.ran_low") == [{"sku": "CUP", "available": 4, "threshold": 4}]
    make_reservation(app, product.id, 2)
    for reservation in (first, second):
        staff.post(f"/reservations/{reservation.id}/commit")
    assert len(told(app, "stock.ran_low")) == 1
    path = f"/products/{product.id}/movements"
    staff.post(path, json={"kind": "received", "quantity": 9})
    assert len(told(app, "stock.ran_low")) == 1
    staff.post(path, json={"kind": "shipped", "quantity": 8})
    assert len(told(app, "stock.ran_low")) == 2


def test_moving_between_places_is_not_running_low(app: Flask, staff: Api, mug: UUID) -> None:
    make_location(app, "shop")
    body = {"kind": "transferred", "quantity": 9, "to_location": "shop"}
    staff.post(f"/products/{mug}/movements", json=body)
    assert told(app, "stock.ran_low") == []


def test_customers_read_of_stock_and_not_of_reservations(
    app: Flask, customer: Api, mug: UUID
) -> None:
    make_reservation(app, mug, 3)
    make_product(app, stock=5, status="draft")
    relay_all(app)
    items = customer.get("/events?types=stock.*&types=reservation.*").get_json()["items"]
    assert {it["type"] for it in items} == {"stock.changed"}
    assert {it["data"]["sku"] for it in items} == {"MUG"}

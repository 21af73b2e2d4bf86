"""Moving stock, and the ledger that tells why."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stockroom.core.database import now
from stockroom.extensions import db
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.stock import assert_books_agree, levels, make_location, make_reservation
from tests.products.walking import walk


@pytest.fixture
def mug(app: Flask) -> UUID:
    return make_product(app, sku="MUG", stock=10).id


def movement(kind: str, quantity: Any, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "quantity": quantity, **facts}


def move(api: Api, product_id: UUID, kind: str, quantity: Any, **facts: Any) -> Any:
    return api.post(f"/products/{product_id}/movements", json=movement(kind, quantity, **facts))


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (movement("received", 5), 5),
        (movement("returned", 1, reference="order 7"), 1),
        (movement("shipped", 4), -4),
        (movement("adjusted", -3, reason="broken"), -3),
        (movement("adjusted", 2, reason="found"), 2),
        (movement("received", 1_000_000_000), 1_000_000_000),
    ],
)
def test_a_movement_changes_what_is_on_hand(
    app: Flask, staff: Api, mug: UUID, body: dict[str, Any], change: int
) -> None:
    answer = staff.post(f"/products/{mug}/movements", json=body)
    moved = answer.get_json()
    assert answer.status_code == 201
    assert {name: moved[name] for name in body} == body
    assert (moved["change"], moved["balance"], moved["location"]) == (change, 10 + change, "main")
    assert moved["actor_id"] == staff.get("/users/me").get_json()["id"]
    assert levels(app, mug) == {"main": (10 + change, 0)}
    assert_books_agree(app)


def test_a_transfer_takes_out_here_and_brings_in_there(app: Flask, staff: Api, mug: UUID) -> None:
    make_location(app, "shop")
    moved = move(staff, mug, "transferred", 4, to_location="shop", reference="van 1").get_json()
    assert (moved["location"], moved["change"], moved["quantity"]) == ("main", -4, 4)
    assert levels(app, mug) == {"main": (6, 0), "shop": (4, 0)}
    listed = staff.get(f"/products/{mug}/movements?reference=van+1").get_json()["items"]
    assert [(it["location"], it["change"]) for it in listed] == [("shop", 4), ("main", -4)]
    assert_books_agree(app)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (movement("received", 0), "quantity"),
        (movement("received", -1), "quantity"),
        (movement("shipped", -1), "quantity"),
        (movement("adjusted", 0, reason="x"), "quantity"),
        (movement("adjusted", 1), "reason"),
        (movement("adjusted", 1, reason=" "), "reason"),
        (movement("received", 1_000_000_001), "quantity"),
        (movement("received", "5"), "quantity"),
        (movement("received", quantity=True), "quantity"),
        (movement("stolen", 5), "kind"),
        (movement("received", 5, location="nowhere"), "location"),
        (movement("received", 5, location="No Code"), "location"),
        (movement("received", 5, to_location="main"), "to_location"),
        (movement("transferred", 5), "to_location"),
        (movement("transferred", 5, to_location="main"), "to_location"),
        (movement("transferred", 5, to_location="nowhere"), "to_location"),
        (movement("received", 5, occurred_at="2999-01-01T00:00:00Z"), "occurred_at"),
        (movement("received", 5, occurred_at="yesterday"), "occurred_at"),
    ],
)
def test_a_movement_that_makes_no_sense_is_refused(
    app: Flask, staff: Api, mug: UUID, body: dict[str, Any], field: str
) -> None:
    answer = staff.post(f"/products/{mug}/movements", json=body)
    assert assert_problem(answer, 422, "validation-error")["errors"].keys() == {field}
    assert levels(app, mug) == {"main": (10, 0)}


@pytest.mark.parametrize(
    "body",
    [
        movement("shipped", 8),
        movement("adjusted", -8, reason="lost"),
        movement("transferred", 8, to_location="shop"),
    ],
)
def test_what_is_promised_cannot_be_taken_out(
    app: Flask, staff: Api, mug: UUID, body: dict[str, Any]
) -> None:
    make_location(app, "shop")
    make_reservation(app, mug, 3)
    answer = staff.post(f"/products/{mug}/movements", json=body)
    assert assert_problem(answer, 409, "insufficient-stock")["available"] == 7
    assert levels(app, mug)["main"] == (10, 3)
    assert_books_agree(app)


def test_a_movement_can_be_dated_back_and_stays_where_it_was_recorded(
    app: Flask, staff: Api, mug: UUID
) -> None:
    earlier = (now() - timedelta(days=400)).isoformat()
    move(staff, mug, "received", 1, occurred_at=earlier, reference="old")
    move(staff, mug, "shipped", 2)
    listed = staff.get(f"/products/{mug}/movements").get_json()["items"]
    assert [it["balance"] for it in listed] == [9, 11, 10]
    assert listed[1]["occurred_at"] == earlier
    assert listed[1]["recorded_at"] > earlier


def test_the_ledger_is_read_page_by_page_and_can_be_narrowed(
    app: Flask, staff: Api, mug: UUID
) -> None:
    for number in range(5):
        move(staff, mug, "received" if number % 2 else "shipped", 1, reference=f"r{number}")
    path = f"/products/{mug}/movements"
    whole = ["r4", "r3", "r2", "r1", "r0", None]
    assert walk(staff, f"{path}?limit=2", "reference") == whole
    assert walk(staff, f"{path}?kind=received", "reference") == ["r3", "r1", None]
    assert walk(staff, f"{path}?location=main&reference=r2", "reference") == ["r2"]
    assert_problem(staff.get(f"/products/{uuid4()}/movements"), 404, "product-not-found")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_movements SET reason = 'never mind'",
        "DELETE FROM stock_movements",
        "TRUNCATE stock_movements CASCADE",
    ],
)
def test_the_database_lets_nobody_change_the_ledger(app: Flask, mug: UUID, statement: str) -> None:
    with (
        app.app_context(),
        pytest.raises(DBAPIError, match="append-only"),
        db.engine.begin() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("levels", ["reserved = -1", "reserved = on_hand + 1", "on_hand = -1"])
def test_the_database_forbids_to_promise_more_than_there_is(
    app: Flask, mug: UUID, levels: str
) -> None:
    with (
        app.app_context(),
        pytest.raises(DBAPIError, match="ck_stock_levels_reserved_within_on_hand"),
        db.engine.begin() as connection,
    ):
        connection.execute(text(f"UPDATE stock_levels SET {levels}"))  # noqa: S608 - of this file


def test_a_product_that_there_is_not_cannot_be_moved(staff: Api) -> None:
    assert_problem(move(staff, uuid4(), "received", 1), 404, "product-not-found")


def test_locations_are_listed_main_first_and_have_codes_of_their_own(staff: Api) -> None:
    made = staff.post("/locations", json={"code": "annex", "name": "The annex"})
    assert (made.status_code, made.get_json()["code"]) == (201, "annex")
    assert staff.get(made.headers["Location"]).get_json() == made.get_json()
    assert walk(staff, "/locations", "code") == ["main", "annex"]
    taken = staff.post("/locations", json={"code": "annex", "name": "Another"})
    assert_problem(taken, 409, "location-taken")
    for code in ("UPPER", "with space", "-x", "", "ä", "x" * 33):
        bad = staff.post("/locations", json={"code": code, "name": "Bad"})
        assert assert_problem(bad, 422, "validation-error")["errors"].keys() == {"code"}
    assert_problem(staff.get(f"/locations/{uuid4()}"), 404, "location-not-found")

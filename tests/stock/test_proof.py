"""``flask stock verify`` and ``replay``: whether the counters are what the ledger says."""

import json
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.extensions import db
from tests.api import Api
from tests.factories.products import LOWERED_OTHERWISE_BY_PYTHON, make_product
from tests.factories.stock import levels, make_location, make_reservation, put
from tests.outbox.events import all_events
from tests.stock.commands import stock


@pytest.fixture
def mug(app: Flask) -> UUID:
    return make_product(app, sku="MUG", stock=10).id


def tamper(app: Flask, change: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE stock_levels SET {change}"))  # noqa: S608 - of this file


def found(app: Flask, *options: str) -> list[dict[str, Any]]:
    differences: list[dict[str, Any]] = json.loads(stock(app, "verify", "--json", *options).stdout)
    return differences


def test_books_in_order_are_said_to_be(app: Flask, mug: UUID) -> None:
    put(app, mug, 4, make_location(app))
    make_reservation(app, mug, 12)
    result = stock(app, "verify")
    assert result.exit_code == 0
    assert result.stdout == "Every counter is what ledger and reservations say.\n"
    assert found(app) == []


def test_a_counter_that_somebody_changed_is_found(app: Flask, mug: UUID) -> None:
    tamper(app, "on_hand = 7")
    (difference,) = found(app)
    assert (difference["sku"], difference["location"]) == ("MUG", "main")
    assert (difference["on_hand"], difference["ledger"]) == (7, 10)
    result = stock(app, "verify")
    assert result.exit_code == 1
    assert result.output.endswith("Error: 1 levels differ from ledger or reservations.\n")
    assert levels(app, mug) == {"main": (7, 0)}


def test_a_repair_writes_an_adjustment_and_leaves_what_is_sold_by(
    app: Flask, staff: Api, mug: UUID
) -> None:
    tamper(app, "on_hand = 7")
    assert stock(app, "verify", "--repair").stdout.endswith("1 were repaired.\n")
    assert found(app) == []
    assert levels(app, mug) == {"main": (7, 0)}
    last = staff.get(f"/products/{mug}/movements").get_json()["items"][0]
    assert (last["kind"], last["change"], last["balance"]) == ("adjusted", -3, 7)
    assert "the counter said 7, the ledger 10" in last["reason"]
    event = all_events(app)[-1]
    assert (event.type, event.data["movement"]["change"]) == ("stock.changed", -3)


def test_a_repair_has_what_is_promised_counted_anew(app: Flask, mug: UUID) -> None:
    make_reservation(app, mug, 4)
    tamper(app, "reserved = 1")
    (difference,) = found(app)
    assert (difference["reserved"], difference["promised"]) == (1, 4)
    assert stock(app, "verify", "--repair").exit_code == 0
    assert levels(app, mug) == {"main": (10, 4)}
    assert all_events(app)[-1].data["reserved"] == 4


def test_what_cannot_be_promised_is_left_and_said(app: Flask, mug: UUID) -> None:
    make_reservation(app, mug, 4)
    tamper(app, "on_hand = 2, reserved = 2")
    assert stock(app, "verify", "--repair").exit_code == 1
    assert [(it["on_hand"], it["ledger"], it["promised"]) for it in found(app)] == [(2, 2, 4)]
    recorded = len(all_events(app))
    assert stock(app, "verify", "--repair").exit_code == 1
    assert len(all_events(app)) == recorded


def test_a_replay_finds_the_line_from_which_the_balances_do_not_follow(
    app: Flask, staff: Api, mug: UUID
) -> None:
    assert stock(app, "replay").stdout == "Every balance follows from the movements before it.\n"
    tamper(app, "on_hand = 7")
    staff.post(f"/products/{mug}/movements", json={"kind": "shipped", "quantity": 1})
    result = stock(app, "replay", "mug", "--json")
    assert result.exit_code == 1
    (line,) = json.loads(result.stdout)
    assert (line["change"], line["balance"], line["expected"]) == (-1, 6, 9)
    assert stock(app, "replay", "OTHER").exit_code == 0


@pytest.mark.parametrize("sku", LOWERED_OTHERWISE_BY_PYTHON)
def test_a_replay_of_one_product_finds_it_whatever_letters_its_sku_has(
    app: Flask, staff: Api, sku: str
) -> None:
    product = make_product(app, sku=sku, stock=10)
    tamper(app, "on_hand = 7")
    staff.post(f"/products/{product.id}/movements", json={"kind": "shipped", "quantity": 1})
    assert stock(app, "replay", sku).exit_code == 1

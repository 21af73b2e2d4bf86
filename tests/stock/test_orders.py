"""What can be ordered in one reservation, and from which places it comes."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from stockroom.stock.schemas import MOST_LINES
from tests.api import Api, assert_problem
from tests.factories.products import LOWERED_OTHERWISE_BY_PYTHON, make_product
from tests.factories.stock import (
    assert_books_agree,
    levels,
    make_location,
    put,
)
from tests.stock.reserving import reserve


def test_lines_of_one_product_are_added_up_before_they_are_checked(
    app: Flask, customer: Api
) -> None:
    mug = make_product(app, sku="MUG", stock=5)
    lines = [{"sku": "MUG", "quantity": 3}, {"product_id": str(mug.id), "quantity": 3}]
    problem = assert_problem(reserve(customer, *lines), 409, "insufficient-stock")
    assert (problem["lines"][0]["requested"], problem["available"]) == (6, 5)
    made = reserve(customer, lines[0], {"sku": "mug", "quantity": 2}).get_json()
    assert [it["quantity"] for it in made["lines"]] == [3, 2]
    assert levels(app, mug.id) == {"main": (5, 5)}


@pytest.mark.parametrize("sku", LOWERED_OTHERWISE_BY_PYTHON)
def test_a_product_is_ordered_by_the_sku_that_finds_it(app: Flask, customer: Api, sku: str) -> None:
    product = make_product(app, sku=sku, stock=5)
    assert reserve(customer, {"sku": sku, "quantity": 3}).status_code == 201
    assert levels(app, product.id) == {"main": (5, 3)}


def test_lines_that_spell_one_sku_otherwise_are_of_one_product(app: Flask, customer: Api) -> None:
    mug = make_product(app, sku="MUG", stock=5)
    lines = [{"sku": sku, "quantity": 1} for sku in ("MUG", "mug", "Mug", "mug")]
    made = reserve(customer, *lines).get_json()
    assert {it["product_id"] for it in made["lines"]} == {str(mug.id)}
    assert levels(app, mug.id) == {"main": (5, 4)}


def test_products_that_a_customer_does_not_see_cannot_be_reserved(
    app: Flask, customer: Api, staff: Api
) -> None:
    draft = make_product(app, sku="DRAFT", stock=5, status="draft")
    unknown = reserve(
        customer,
        {"sku": "DRAFT", "quantity": 1},
        {"product_id": str(draft.id), "quantity": 1},
        {"sku": "NOBODY", "quantity": 1},
    )
    problem = assert_problem(unknown, 422, "validation-error")
    assert problem["errors"].keys() == {"lines.0.sku", "lines.1.product_id", "lines.2.sku"}
    assert reserve(staff, {"sku": "DRAFT", "quantity": 1}).status_code == 201
    archived = make_product(app, stock=5, status="archived")
    gone = reserve(staff, {"product_id": str(archived.id), "quantity": 1})
    assert_problem(gone, 422, "validation-error")


def test_too_many_lines_are_counted_and_not_looked_at(customer: Api) -> None:
    """Else each of them would have errors of its own, and a megabyte would take seconds."""
    problem = assert_problem(reserve(customer, *[{}] * (MOST_LINES + 1)), 422, "validation-error")
    assert problem["errors"] == {"lines": [f"Length must be between 1 and {MOST_LINES}."]}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": 1}, "lines.0.sku"),
        ({"sku": "MUG", "product_id": str(uuid4()), "quantity": 1}, "lines.0.sku"),
        ({"sku": "MUG"}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": 0}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": -1}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": 1.5}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": "1"}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": True}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": 10**10}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": 10**30}, "lines.0.quantity"),
        ({"sku": "MUG", "quantity": 1, "location": "nowhere"}, "lines.0.location"),
        ({"sku": "MUG", "quantity": 1, "price": 3}, "lines.0.price"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(
    app: Flask, customer: Api, line: dict[str, Any], field: str
) -> None:
    make_product(app, sku="MUG", stock=5)
    problem = assert_problem(reserve(customer, line), 422, "validation-error")
    assert problem["errors"].keys() == {field}


@pytest.mark.parametrize("seconds", [0, -1, 86_401, "60", None, 1.5])
def test_it_is_held_for_a_second_at_least_and_a_day_at_most(
    app: Flask, customer: Api, seconds: Any
) -> None:
    make_product(app, sku="MUG", stock=5)
    line = {"sku": "MUG", "quantity": 1}
    answer = reserve(customer, line, hold_seconds=seconds)
    assert assert_problem(answer, 422, "validation-error")["errors"].keys() == {"hold_seconds"}
    assert reserve(customer, line, hold_seconds=86_400).status_code == 201


@pytest.mark.parametrize("lines", [[], [{"sku": "MUG", "quantity": 1}] * 2001, None])
def test_an_order_has_between_one_and_two_thousand_lines(customer: Api, lines: Any) -> None:
    answer = customer.post("/reservations", json={"lines": lines})
    assert_problem(answer, 422, "validation-error")


def test_an_order_comes_from_the_one_place_that_can_serve_it(app: Flask, customer: Api) -> None:
    mug, cup = make_product(app, sku="MUG", stock=1), make_product(app, sku="CUP", stock=9)
    shop = make_location(app)
    put(app, mug.id, 5, shop)
    put(app, cup.id, 5, shop)
    order = [{"sku": "MUG", "quantity": 2}, {"sku": "CUP", "quantity": 3}]
    made = reserve(customer, *order).get_json()
    assert {it["location"] for it in made["lines"]} == {"shop"}


def test_an_order_that_no_place_can_serve_alone_is_split(app: Flask, customer: Api) -> None:
    mug = make_product(app, sku="MUG", stock=3)
    put(app, mug.id, 4, make_location(app))
    made = reserve(customer, {"sku": "MUG", "quantity": 6}).get_json()
    assert [(it["location"], it["quantity"]) for it in made["lines"]] == [("shop", 4), ("main", 2)]
    assert customer.post(f"/reservations/{made['id']}/commit").status_code == 200
    assert levels(app, mug.id) == {"main": (1, 0), "shop": (0, 0)}
    assert_books_agree(app)


def test_a_place_that_is_named_has_to_serve_by_itself(app: Flask, customer: Api) -> None:
    mug = make_product(app, sku="MUG", stock=9)
    put(app, mug.id, 2, make_location(app))
    line = {"sku": "MUG", "quantity": 3, "location": "shop"}
    problem = assert_problem(reserve(customer, line), 409, "insufficient-stock")
    assert (problem["lines"][0]["location"], problem["available"]) == ("shop", 2)

"""Reserving: all lines or none, held for a while, ended once."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.stock import (
    assert_books_agree,
    levels,
    make_location,
    make_reservation,
    put,
)
from tests.factories.users import make_user, token_for
from tests.threads import at_once


def reserve(api: Api, *lines: dict[str, Any], **fields: Any) -> Any:
    return api.post("/reservations", json={"lines": list(lines), **fields})


def test_pieces_are_promised_and_no_longer_available(app: Flask, customer: Api) -> None:
    mug, cup = make_product(app, sku="MUG", stock=10), make_product(app, sku="CUP", stock=4)
    answer = reserve(
        customer,
        {"sku": "mug", "quantity": 3},
        {"product_id": str(cup.id), "quantity": 4},
        reference="cart 7",
    )
    made = answer.get_json()
    assert answer.status_code == 201
    assert (made["status"], made["reference"], made["ended_at"]) == ("held", "cart 7", None)
    assert [(it["sku"], it["location"], it["quantity"]) for it in made["lines"]] == [
        ("MUG", "main", 3),
        ("CUP", "main", 4),
    ]
    assert customer.get(answer.headers["Location"]).get_json() == made
    assert (levels(app, mug.id), levels(app, cup.id)) == ({"main": (10, 3)}, {"main": (4, 4)})
    assert_books_agree(app)


def test_if_one_line_is_short_nothing_is_promised(app: Flask, customer: Api) -> None:
    mug, cup = make_product(app, sku="MUG", stock=10), make_product(app, sku="CUP", stock=4)
    none = make_product(app, sku="NONE")
    answer = reserve(
        customer,
        {"sku": "MUG", "quantity": 1},
        {"sku": "CUP", "quantity": 5},
        {"sku": "NONE", "quantity": 2},
    )
    problem = assert_problem(answer, 409, "insufficient-stock")
    assert sorted((it["sku"], it["requested"], it["available"]) for it in problem["lines"]) == [
        ("CUP", 5, 4),
        ("NONE", 2, 0),
    ]
    assert "5 of CUP asked for, 4 available" in problem["detail"]
    assert (levels(app, mug.id), levels(app, cup.id)) == ({"main": (10, 0)}, {"main": (4, 0)})
    assert levels(app, none.id) == {}


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


def test_committing_ships_once_and_answers_alike_again(
    app: Flask, customer: Api, staff: Api
) -> None:
    mug = make_product(app, sku="MUG", stock=5)
    path = reserve(customer, {"sku": "MUG", "quantity": 2}).headers["Location"]
    first, second = customer.post(f"{path}/commit"), customer.post(f"{path}/commit")
    assert (first.status_code, first.get_json()["status"]) == (200, "committed")
    assert (second.status_code, second.data) == (200, first.data)
    assert levels(app, mug.id) == {"main": (3, 0)}
    moved = staff.get(f"/products/{mug.id}/movements").get_json()["items"]
    assert [(it["kind"], it["change"], it["balance"]) for it in moved] == [
        ("shipped", -2, 3),
        ("received", 5, 5),
    ]
    assert_books_agree(app)


def test_releasing_gives_back_once(app: Flask, customer: Api) -> None:
    mug = make_product(app, sku="MUG", stock=5)
    path = reserve(customer, {"sku": "MUG", "quantity": 2}).headers["Location"]
    for _ in range(2):
        answer = customer.post(f"{path}/release")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "released")
    assert levels(app, mug.id) == {"main": (5, 0)}
    assert_books_agree(app)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("commit", "release", "committed"),
        ("commit", "extend", "committed"),
        ("release", "commit", "released"),
        ("release", "extend", "released"),
    ],
)
def test_what_has_ended_cannot_end_otherwise(
    app: Flask, customer: Api, first: str, second: str, state: str
) -> None:
    make_product(app, sku="MUG", stock=5)
    path = reserve(customer, {"sku": "MUG", "quantity": 2}).headers["Location"]
    assert customer.post(f"{path}/{first}").status_code == 200
    problem = assert_problem(customer.post(f"{path}/{second}"), 409, "reservation-ended")
    assert problem["state"] == state


def test_many_ends_at_once_are_one_end(app: Flask) -> None:
    mug, user = make_product(app, stock=5), make_user(app)
    token = token_for(app, user)
    reservation = make_reservation(app, mug.id, 2, user=user)

    def end(how: str) -> int:
        return Api(app, token).post(f"/reservations/{reservation.id}/{how}").status_code

    statuses = at_once(end, ["commit", "release"] * 6)
    assert sorted(statuses) == [200] * 6 + [409] * 6
    assert levels(app, mug.id) in ({"main": (3, 0)}, {"main": (5, 0)})
    assert_books_agree(app)


def test_extending_holds_longer_and_never_shorter(app: Flask, customer: Api) -> None:
    make_product(app, sku="MUG", stock=5)
    made = reserve(customer, {"sku": "MUG", "quantity": 2}, hold_seconds=60)
    path, before = made.headers["Location"], made.get_json()["expires_at"]
    longer = customer.post(f"{path}/extend", json={"hold_seconds": 3600}).get_json()
    assert longer["expires_at"] > before
    shorter = customer.post(f"{path}/extend", json={"hold_seconds": 1}).get_json()
    assert shorter["expires_at"] == longer["expires_at"]
    assert customer.post(f"{path}/extend").status_code == 200


def test_a_reservation_is_for_its_owner_and_for_staff(
    app: Flask, customer: Api, staff: Api
) -> None:
    make_product(app, sku="MUG", stock=5)
    path = reserve(customer, {"sku": "MUG", "quantity": 2}).headers["Location"]
    stranger = Api(app, token_for(app, make_user(app)))
    assert_problem(stranger.get(path), 404, "reservation-not-found")
    for act in ("commit", "release", "extend"):
        assert_problem(stranger.post(f"{path}/{act}"), 404, "reservation-not-found")
    assert staff.get(path).status_code == 200
    assert stranger.get("/reservations").get_json()["items"] == []
    assert len(customer.get("/reservations").get_json()["items"]) == 1
    assert len(staff.get("/reservations?status=held").get_json()["items"]) == 1
    assert staff.get("/reservations?status=committed").get_json()["items"] == []
    assert_problem(staff.get(f"/reservations/{uuid4()}"), 404, "reservation-not-found")


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


def test_two_orders_that_share_products_in_opposite_orders_both_succeed(app: Flask) -> None:
    skus = [make_product(app, stock=1000).sku for _ in range(10)]
    token = token_for(app, make_user(app))

    def order(step: int) -> int:
        lines = [{"sku": sku, "quantity": 1} for sku in skus[::step]]
        return int(reserve(Api(app, token), *lines).status_code)

    assert set(at_once(order, [1, -1] * 8)) == {201}
    assert_books_agree(app)


def test_an_export_of_the_account_names_its_reservations(app: Flask, customer: Api) -> None:
    make_product(app, sku="MUG", stock=5)
    made = reserve(customer, {"sku": "MUG", "quantity": 2}).get_json()
    kept = customer.get("/users/me/export").get_json()["parts"]["stock"]["reservations"]
    assert [it["id"] for it in kept] == [made["id"]]
    assert kept[0]["lines"] == [{"sku": "MUG", "location": "main", "quantity": 2}]

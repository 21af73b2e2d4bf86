"""Reserving: all lines or none, held for a while, ended once."""

from uuid import uuid4

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.stock import (
    assert_books_agree,
    levels,
    make_reservation,
)
from tests.factories.users import make_user, token_for
from tests.stock.reserving import reserve
from tests.threads import at_once


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

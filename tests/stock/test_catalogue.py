"""Stock in the catalogue: taken at creation, shown with each product, and looked for."""

from typing import Any

import pytest
from flask import Flask

from tests.api import Api, assert_problem, product_tag
from tests.factories.products import make_product, product_body
from tests.factories.stock import levels, make_location, make_reservation, put
from tests.products.walking import walk


def test_stock_at_creation_is_the_first_movement(app: Flask, staff: Api) -> None:
    made = staff.post("/products", json=product_body(stock=20)).get_json()
    assert made["available"] == 20
    (moved,) = staff.get(f"/products/{made['id']}/movements").get_json()["items"]
    assert (moved["kind"], moved["change"], moved["balance"]) == ("received", 20, 20)
    assert levels(app, made["id"]) == {"main": (20, 0)}


def test_a_product_without_stock_has_none(staff: Api) -> None:
    made = staff.post("/products", json=product_body(stock=0)).get_json()
    path = f"/products/{made['id']}"
    assert made["available"] == 0
    assert staff.get(f"{path}/movements").get_json()["items"] == []
    stock = staff.get(f"{path}/stock").get_json()
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (0, 0, 0)
    assert stock["locations"] == {}


@pytest.mark.parametrize("stock", [-1, 1.5, "5", True, None, 10**10])
def test_stock_is_a_number_of_pieces(staff: Api, stock: Any) -> None:
    answer = staff.post("/products", json=product_body(stock=stock))
    assert assert_problem(answer, 422, "validation-error")["errors"].keys() == {"stock"}


def test_stock_is_not_changed_with_the_product(app: Flask, staff: Api) -> None:
    product = make_product(app, stock=5)
    path = f"/products/{product.id}"
    for method, body in (("PATCH", {"stock": 9}), ("PUT", product_body(stock=9))):
        answer = staff.request(method, path, json=body, if_match=1)
        assert assert_problem(answer, 422, "validation-error")["errors"].keys() == {"stock"}


def test_a_product_shows_what_is_available_everywhere(app: Flask, staff: Api) -> None:
    product = make_product(app, sku="MUG", stock=5)
    put(app, product.id, 3, make_location(app))
    make_reservation(app, product.id, 2)
    assert staff.get(f"/products/{product.id}").get_json()["available"] == 6
    assert staff.get("/products/by-sku/mug").get_json()["available"] == 6
    assert walk(staff, "/products", "available") == [6]
    assert staff.get("/products?fields=sku,available").get_json()["items"] == [
        {"sku": "MUG", "available": 6}
    ]
    stock = staff.get(f"/products/{product.id}/stock").get_json()
    assert stock == {
        "product_id": str(product.id),
        "sku": "MUG",
        "on_hand": 8,
        "reserved": 2,
        "available": 6,
        "locations": {
            "main": {"on_hand": 5, "reserved": 2, "available": 3},
            "shop": {"on_hand": 3, "reserved": 0, "available": 3},
        },
    }


def test_a_change_of_the_product_tells_what_is_available(app: Flask, staff: Api) -> None:
    product = make_product(app, stock=5)
    changed = staff.patch(f"/products/{product.id}", json={"name": "Cup"}, if_match=1)
    assert changed.get_json()["available"] == 5


def test_products_can_be_looked_for_by_whether_there_are_any(app: Flask, staff: Api) -> None:
    for sku, stock in (("GONE", 0), ("PROMISED", 2), ("THERE", 2)):
        product = make_product(app, sku=sku, stock=stock)
        if sku == "PROMISED":
            make_reservation(app, product.id, 2)
    assert walk(staff, "/products?in_stock=true&sort=sku") == ["THERE"]
    assert walk(staff, "/products?in_stock=false&sort=sku") == ["GONE", "PROMISED"]
    assert staff.get("/products?in_stock=true&count=true").get_json()["total"] == 1


def test_a_sale_is_another_etag_and_does_not_hinder_who_edits_the_product(
    app: Flask, staff: Api
) -> None:
    product = make_product(app, stock=5)
    path = f"/products/{product.id}"
    before = staff.get(path).headers["ETag"]
    assert before == product_tag(path, 1, available=5)
    make_reservation(app, product.id, 2)
    assert staff.get(path, headers={"If-None-Match": before}).status_code == 200
    assert staff.patch(path, json={"name": "Cup"}, if_match=before).status_code == 200
    assert_problem(
        staff.patch(path, json={"name": "Pot"}, if_match=before), 412, "precondition-failed"
    )


def test_stock_of_what_only_staff_sees_is_for_staff(app: Flask, staff: Api, nobody: Api) -> None:
    path = f"/products/{make_product(app, stock=5, status='draft').id}/stock"
    assert staff.get(path).status_code == 200
    assert_problem(nobody.get(path), 404, "product-not-found")


def test_low_products_are_those_at_their_threshold_or_below(app: Flask, staff: Api) -> None:
    make_product(app, sku="A-ENOUGH", stock=6)
    make_product(app, sku="B-LOW", stock=5)
    make_product(app, sku="C-OWN", stock=30, low_stock_threshold=40)
    make_product(app, sku="D-FINE", stock=3, low_stock_threshold=2)
    make_product(app, sku="E-NEVER-STOCKED")
    make_product(app, sku="F-GONE", stock=1, status="archived")
    low = staff.get("/stock/low").get_json()["items"]
    assert [(it["sku"], it["available"], it["threshold"]) for it in low] == [
        ("B-LOW", 5, 5),
        ("C-OWN", 30, 40),
    ]
    assert walk(staff, "/stock/low?limit=1") == ["B-LOW", "C-OWN"]


@pytest.mark.parametrize("threshold", [-1, "5", 1.5, True])
def test_a_threshold_is_a_number_of_pieces(staff: Api, threshold: Any) -> None:
    answer = staff.post("/products", json=product_body(low_stock_threshold=threshold))
    problem = assert_problem(answer, 422, "validation-error")
    assert problem["errors"].keys() == {"low_stock_threshold"}

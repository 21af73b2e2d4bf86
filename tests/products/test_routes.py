"""Creating and reading products, and who sees which."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask

from stockroom.core.permissions import Role
from tests.api import Api, assert_problem, product_tag
from tests.factories.products import make_product, product_body
from tests.factories.users import make_user, token_for

HIDDEN = ("draft", "archived")


def test_staff_create_a_product_that_everyone_can_read(staff: Api, nobody: Api) -> None:
    created = staff.post("/products", json=product_body(sku="MUG-1", price=12.5))
    assert created.status_code == 201
    read = nobody.get(created.headers["Location"])
    assert read.get_json() == created.get_json()
    assert read.get_json()["price"] == "12.50"


def test_a_new_product_takes_a_default_for_each_field_that_is_not_named(staff: Api) -> None:
    product = staff.post("/products", json={"sku": "A", "name": "Mug", "price": "1"}).get_json()
    assert {name: product[name] for name in product if not name.endswith(("id", "_at"))} == {
        "sku": "A",
        "name": "Mug",
        "description": None,
        "price": "1.00",
        "currency": "EUR",
        "family": None,
        "options": {},
        "attributes": {},
        "status": "active",
        "available": 0,
        "low_stock_threshold": None,
    }


def test_the_currency_left_out_is_the_shops_own(app: Flask, make_app: Callable[..., Flask]) -> None:
    shop = Api(make_app(default_currency="JPY"), token_for(app, make_user(app, role=Role.STAFF)))
    product = shop.post("/products", json=product_body(price=1200)).get_json()
    assert (product["price"], product["currency"]) == ("1200", "JPY")


def test_a_new_product_has_the_etag_of_its_first_version(staff: Api, nobody: Api) -> None:
    created = staff.post("/products", json=product_body())
    assert created.headers["ETag"].startswith('"1-')
    assert nobody.get(created.headers["Location"]).headers["ETag"].startswith('"1-')


def test_a_client_that_has_the_version_is_told_so(staff: Api, nobody: Api) -> None:
    location = staff.post("/products", json=product_body()).headers["Location"]
    assert (
        nobody.get(location, headers={"If-None-Match": product_tag(location, 1)}).status_code == 304
    )


@pytest.mark.parametrize("name", ["sku", "name", "price"])
def test_a_new_product_needs_its_sku_name_and_price(staff: Api, name: str) -> None:
    body = product_body()
    del body[name]
    problem = assert_problem(staff.post("/products", json=body), 422, "validation-error")
    assert list(problem["errors"]) == [name]


@pytest.mark.parametrize("name", ["id", "version", "created_at", "search", "colour"])
def test_a_field_that_cannot_be_set_is_refused(staff: Api, name: str) -> None:
    response = staff.post("/products", json=product_body(**{name: "x"}))
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == [name]


@pytest.mark.parametrize("body", [[], "text", 1, True])
def test_a_body_that_is_no_object_is_refused(staff: Api, body: object) -> None:
    assert_problem(staff.post("/products", json=body), 422, "validation-error")


def test_a_customer_cannot_create_a_product(customer: Api) -> None:
    assert_problem(customer.post("/products", json=product_body()), 403, "permission-denied")


def test_an_unknown_product_is_not_found(nobody: Api) -> None:
    assert_problem(nobody.get(f"/products/{uuid4()}"), 404, "product-not-found")


@pytest.mark.parametrize("status", HIDDEN)
def test_staff_read_products_that_are_not_for_sale(app: Flask, staff: Api, status: str) -> None:
    product = make_product(app, status=status)
    assert staff.get(f"/products/{product.id}").get_json()["status"] == status


@pytest.mark.parametrize("status", HIDDEN)
def test_a_product_that_is_not_for_sale_is_not_found(
    app: Flask, nobody: Api, customer: Api, status: str
) -> None:
    product = make_product(app, status=status)
    for reader in (nobody, customer):
        assert_problem(reader.get(f"/products/{product.id}"), 404, "product-not-found")
        assert_problem(reader.get(f"/products/by-sku/{product.sku}"), 404, "product-not-found")


@pytest.mark.parametrize("status", HIDDEN)
@pytest.mark.parametrize("query", ["", "?q=mug", "?sku=MUG", "?status={}", "?q=mug&status={}"])
def test_a_list_shows_what_is_not_for_sale_to_staff_alone(
    app: Flask, nobody: Api, customer: Api, query: str, status: str
) -> None:
    make_product(app, sku="MUG", name="Mug", status=status)
    for reader in (nobody, customer):
        assert reader.get(f"/products{query.format(status)}").get_json()["items"] == []


@pytest.mark.parametrize("query", ["", "?q=mug", "?sku=MUG", "?status=draft"])
def test_staff_find_drafts_in_lists(app: Flask, staff: Api, query: str) -> None:
    make_product(app, sku="MUG", name="Mug", status="draft")
    assert len(staff.get(f"/products{query}").get_json()["items"]) == 1


def test_staff_find_archived_products_only_when_they_ask_for_them(app: Flask, staff: Api) -> None:
    make_product(app, status="archived")
    assert staff.get("/products").get_json()["items"] == []
    assert len(staff.get("/products?status=archived").get_json()["items"]) == 1

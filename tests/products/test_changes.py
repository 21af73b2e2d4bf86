"""Changing, replacing and archiving products, from the version that the client has seen."""

from typing import Any

import pytest
from flask import Flask

from tests.api import Api, assert_problem, product_tag
from tests.factories.products import make_product, product_body
from tests.threads import at_once


def test_a_patch_changes_what_it_names_and_nothing_else(app: Flask, staff: Api) -> None:
    path = f"/products/{make_product(app, family='mugs', price='3').id}"
    before = staff.get(path).get_json()
    after = staff.patch(path, json={"name": "Cup"}, if_match=1).get_json()
    assert after == {**before, "name": "Cup", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


def test_each_change_has_an_etag_of_its_own(app: Flask, staff: Api) -> None:
    path = f"/products/{make_product(app).id}"
    assert staff.patch(path, json={"name": "Cup"}, if_match=1).headers["ETag"].startswith('"2-')
    assert staff.get(path).headers["ETag"].startswith('"2-')


@pytest.mark.parametrize("changes", [{}, {"name": "Mug"}, {"price": 9.5, "options": {}}])
def test_a_patch_that_changes_nothing_makes_no_version(
    app: Flask, staff: Api, changes: dict[str, Any]
) -> None:
    path = f"/products/{make_product(app, name='Mug', price='9.50').id}"
    response = staff.patch(path, json=changes, if_match=1)
    assert (response.status_code, response.headers["ETag"]) == (200, product_tag(path, 1))


@pytest.mark.parametrize(
    ("stored", "sent"), [({"a": 1}, {"a": True}), ({"a": [0]}, {"a": [False]})]
)
def test_a_truth_value_is_another_value_than_the_number_it_equals_in_python(
    app: Flask, staff: Api, stored: dict[str, Any], sent: dict[str, Any]
) -> None:
    path = f"/products/{make_product(app, attributes=stored).id}"
    staff.patch(path, json={"attributes": sent}, if_match=1)
    assert repr(staff.get(path).get_json()["attributes"]) == repr(sent)


def test_a_put_gives_fields_that_it_does_not_name_their_defaults(app: Flask, staff: Api) -> None:
    product = make_product(
        app,
        description="Big",
        currency="JPY",
        price=5,
        family="mugs",
        options={"size": "L"},
        attributes={"weight": 1},
        status="draft",
    )
    body = {"sku": product.sku, "name": "Mug", "price": "2"}
    replaced = staff.put(f"/products/{product.id}", json=body, if_match=1).get_json()
    fresh = staff.post("/products", json={**body, "sku": "OTHER"}).get_json()
    own = {"id", "sku", "created_at", "updated_at"}
    assert {k: v for k, v in replaced.items() if k not in own} == {
        k: v for k, v in fresh.items() if k not in own
    }


@pytest.mark.parametrize("name", ["sku", "name", "price"])
def test_a_put_needs_what_a_new_product_needs(app: Flask, staff: Api, name: str) -> None:
    path = f"/products/{make_product(app).id}"
    body = product_body()
    del body[name]
    assert_problem(staff.put(path, json=body, if_match=1), 422, "validation-error")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("if_match", "refusal"),
    [
        (None, (428, "precondition-required")),
        (2, (412, "precondition-failed")),
        ('W/"1"', (412, "precondition-failed")),
        ("nonsense", (412, "precondition-failed")),
    ],
)
def test_a_write_without_the_version_at_hand_is_refused(
    app: Flask, staff: Api, method: str, if_match: str | int | None, refusal: tuple[int, str]
) -> None:
    path = f"/products/{make_product(app).id}"
    body = {} if method == "DELETE" else {"json": product_body()}
    assert_problem(staff.request(method, path, if_match=if_match, **body), *refusal)
    assert staff.get(path).headers["ETag"].startswith('"1-')


@pytest.mark.parametrize("if_match", ["*", 1])
def test_a_write_that_names_the_version_is_done(
    app: Flask, staff: Api, if_match: str | int
) -> None:
    path = f"/products/{make_product(app).id}"
    assert staff.patch(path, json={"name": "Cup"}, if_match=if_match).status_code == 200


def test_of_two_changes_of_one_version_at_once_exactly_one_is_done(app: Flask, staff: Api) -> None:
    path = f"/products/{make_product(app).id}"
    responses = at_once(
        lambda name: staff.patch(path, json={"name": name}, if_match=1), ["Cup", "Jug"]
    )
    assert sorted(response.status_code for response in responses) == [200, 412]
    winner = next(response for response in responses if response.status_code == 200)
    assert staff.get(path).get_json() == winner.get_json()


def test_an_archived_product_is_gone_for_others(app: Flask, staff: Api, nobody: Api) -> None:
    path = f"/products/{make_product(app).id}"
    assert staff.delete(path, if_match=1).status_code == 204
    assert_problem(nobody.get(path), 404, "product-not-found")
    assert staff.get(path).get_json()["status"] == "archived"


def test_an_archived_product_can_be_brought_back(app: Flask, staff: Api, nobody: Api) -> None:
    path = f"/products/{make_product(app, status='archived').id}"
    assert staff.patch(path, json={"status": "active"}, if_match="*").status_code == 200
    assert nobody.get(path).status_code == 200


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({"price": "1.5"}, {"currency": "JPY"}),
        ({"price": "1.5"}, {"price": "1.505"}),
        ({"price": "1.505", "currency": "KWD"}, {"currency": "EUR"}),
    ],
)
def test_a_change_that_leaves_a_price_its_currency_lacks_is_refused(
    app: Flask, staff: Api, before: dict[str, Any], changes: dict[str, Any]
) -> None:
    path = f"/products/{make_product(app, **before).id}"
    response = staff.patch(path, json=changes, if_match=1)
    assert "price" in assert_problem(response, 422, "validation-error")["errors"]
    assert staff.get(path).headers["ETag"].startswith('"1-')


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_who_may_not_write_is_refused_before_anything_else(
    app: Flask, nobody: Api, customer: Api, method: str
) -> None:
    path = f"/products/{make_product(app).id}"
    body: dict[str, Any] = {} if method == "DELETE" else {"json": {}}
    assert_problem(customer.request(method, path, **body), 403, "permission-denied")
    assert_problem(nobody.request(method, path, **body), 401, "unauthenticated")

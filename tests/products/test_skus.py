"""A SKU: stored as it is given, unique regardless of case, found in any case."""

from unicodedata import normalize
from urllib.parse import quote

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product, product_body
from tests.threads import at_once

ODD_SKUS = [
    "a/b",
    "/a",
    "a/",
    "//",
    "a//b",
    "two words",
    "50%",
    "%2F",
    "a?b",
    "a#b",
    "a+b",
    "a\\b",
    "a'b\"c",
    "Größe-Ä",
    "商品-一",
    "mug-🫖",
    "..a",
    "export",
]


def test_a_sku_is_stored_as_it_is_given(staff: Api) -> None:
    assert staff.post("/products", json=product_body(sku="Mug-a")).get_json()["sku"] == "Mug-a"


@pytest.mark.parametrize(("one", "other"), [("MUG", "mug"), ("Größe", "GRÖßE"), ("é", "É")])
def test_a_sku_is_taken_in_any_case(app: Flask, staff: Api, one: str, other: str) -> None:
    make_product(app, sku=one)
    assert_problem(staff.post("/products", json=product_body(sku=other)), 409, "sku-taken")


def test_a_sku_is_taken_by_a_draft(app: Flask, staff: Api) -> None:
    make_product(app, sku="MUG", status="draft")
    assert_problem(staff.post("/products", json=product_body(sku="MUG")), 409, "sku-taken")


def test_of_twenty_that_create_one_sku_at_once_exactly_one_succeeds(staff: Api) -> None:
    responses = at_once(
        lambda sku: staff.post("/products", json=product_body(sku=sku)), ["MUG", "mug"] * 10
    )
    assert sorted(response.status_code for response in responses) == [201] + [409] * 19


def test_the_sku_of_an_archived_product_can_be_used_again(app: Flask, staff: Api) -> None:
    make_product(app, sku="MUG", status="archived")
    assert staff.post("/products", json=product_body(sku="mug")).status_code == 201


def test_a_product_whose_sku_is_in_use_again_cannot_be_brought_back(app: Flask, staff: Api) -> None:
    archived = make_product(app, sku="MUG", status="archived")
    make_product(app, sku="mug")
    response = staff.patch(f"/products/{archived.id}", json={"status": "draft"}, if_match="*")
    assert_problem(response, 409, "sku-taken")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_product_cannot_take_the_sku_of_another(app: Flask, staff: Api, method: str) -> None:
    make_product(app, sku="MUG")
    other = make_product(app, sku="CUP")
    body = product_body(sku="mug")
    assert_problem(
        staff.request(method, f"/products/{other.id}", json=body, if_match="*"), 409, "sku-taken"
    )


def test_a_product_can_change_the_case_of_its_own_sku(app: Flask, staff: Api) -> None:
    product = make_product(app, sku="MUG")
    changed = staff.patch(f"/products/{product.id}", json={"sku": "mug"}, if_match="*")
    assert changed.get_json()["sku"] == "mug"


@pytest.mark.parametrize("sku", ODD_SKUS)
def test_a_product_is_found_by_its_sku_in_any_case(app: Flask, nobody: Api, sku: str) -> None:
    product = make_product(app, sku=sku)
    for asked in (sku, sku.lower(), sku.upper().replace("SS", "ß")):
        found = nobody.get(f"/products/by-sku/{quote(asked, safe='/')}")
        assert (found.status_code, found.get_json().get("id")) == (200, str(product.id))


@pytest.mark.parametrize("sku", ["a/b", "/a", "a/", "//"])
def test_slashes_of_a_sku_may_be_escaped(app: Flask, nobody: Api, sku: str) -> None:
    make_product(app, sku=sku)
    assert nobody.get(f"/products/by-sku/{quote(sku, safe='')}").get_json()["sku"] == sku


def test_two_skus_whose_addresses_differ_only_in_escapes_are_two(app: Flask, nobody: Api) -> None:
    make_product(app, sku="a")
    make_product(app, sku="a?b")
    assert nobody.get("/products/by-sku/a?b?").get_json()["sku"] == "a"
    assert nobody.get("/products/by-sku/a%3Fb").get_json()["sku"] == "a?b"


@pytest.mark.parametrize("sku", ["Cafe\u0301", " Café\u3000", "\u1112\u1161\u11ab", "ệ" * 64])
def test_a_product_is_found_by_its_sku_as_any_system_spells_it(
    app: Flask, nobody: Api, sku: str
) -> None:
    product = make_product(app, sku=sku)
    for form in ("NFC", "NFD"):
        found = nobody.get(f"/products/by-sku/{quote(normalize(form, sku))}")
        assert (found.status_code, found.get_json().get("id")) == (200, str(product.id))


@pytest.mark.parametrize("sku", ["none", "%FF", "%ED%A0%80", "x" * 5000, "%CC%95%CC%80" * 500])
def test_a_sku_that_nothing_has_is_not_found(nobody: Api, staff: Api, sku: str) -> None:
    for reader in (nobody, staff):
        assert_problem(reader.get(f"/products/by-sku/{sku}"), 404, "product-not-found")


def test_a_sku_finds_the_product_that_has_it_now(app: Flask, staff: Api) -> None:
    make_product(app, sku="MUG", status="archived")
    now = make_product(app, sku="mug")
    assert staff.get("/products/by-sku/MUG").get_json()["id"] == str(now.id)


def test_a_product_by_sku_has_the_etag_of_its_version(app: Flask, staff: Api) -> None:
    product = make_product(app, sku="MUG")
    staff.patch(f"/products/{product.id}", json={"name": "Cup"}, if_match="*")
    assert staff.get("/products/by-sku/mug").headers["ETag"].startswith('"2-')


@pytest.mark.parametrize("sku", ["%00", "a%00b"])
def test_an_address_with_a_nul_is_not_found(nobody: Api, sku: str) -> None:
    assert_problem(nobody.get(f"/products/by-sku/{sku}"), 404, "not-found")

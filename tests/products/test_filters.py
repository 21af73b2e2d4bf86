"""Lists of products: filters, counts and chosen fields."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.products.walking import pages, walk

CATALOGUE: list[dict[str, Any]] = [
    {"sku": "MUG-1", "price": "1.00", "family": "mugs"},
    {"sku": "MUG-2", "price": "2.50", "family": "mugs", "currency": "GBP"},
    {"sku": "CUP-1", "price": "3", "family": "cups", "currency": "JPY", "status": "draft"},
    {"sku": "JUG-1", "price": "4", "status": "archived"},
]


@pytest.fixture
def catalogue(app: Flask) -> None:
    for fields in CATALOGUE:
        make_product(app, **fields)


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ({}, {"MUG-1", "MUG-2", "CUP-1"}),
        ({"sku": "mug-1"}, {"MUG-1"}),
        ({"sku": "MUG"}, set()),
        ({"sku": " mug-1 "}, {"MUG-1"}),
        ({"family": "mugs"}, {"MUG-1", "MUG-2"}),
        ({"family": "Mugs"}, set()),
        ({"currency": "GBP"}, {"MUG-2"}),
        ({"status": "active"}, {"MUG-1", "MUG-2"}),
        ({"status": "draft"}, {"CUP-1"}),
        ({"status": "archived"}, {"JUG-1"}),
        ({"price_min": "2.5"}, {"MUG-2", "CUP-1"}),
        ({"price_min": "2.501"}, {"CUP-1"}),
        ({"price_max": "2.50"}, {"MUG-1", "MUG-2"}),
        ({"price_min": "1", "price_max": "2.499"}, {"MUG-1"}),
        ({"price_min": "3", "price_max": "1"}, set()),
        ({"family": "mugs", "price_min": "2", "currency": "GBP"}, {"MUG-2"}),
    ],
)
def test_a_list_holds_what_fits_every_filter(
    staff: Api, query: dict[str, str], skus: set[str]
) -> None:
    assert set(walk(staff, f"/products?{urlencode(query)}")) == skus


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "query",
    [
        {"price_min": "-1"},
        {"price_max": "1e3"},
        {"price_min": "NaN"},
        {"price_max": "9" * 400},
        {"sku": ""},
        {"sku": "\x00"},
        {"sku": "x" * 65},
        {"family": ""},
        {"currency": "eur"},
        {"status": "sold"},
        {"updated_since": "yesterday"},
        {"updated_since": "2026-01-01"},
        {"updated_since": "2026-01-01T00:00:00"},
        {"updated_since": "99999-01-01T00:00:00Z"},
        {"updated_since": "9999-12-31T23:59:59-14:00"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "-1"},
        {"limit": "1.5"},
        {"limit": "9" * 400},
        {"limit": ""},
        {"count": "yes"},
        {"sort": "colour"},
        {"sort": "--name"},
        {"sort": "relevance"},
        {"sort": ""},
        {"fields": "colour"},
        {"fields": ""},
        {"fields": "id,,sku"},
        {"fields": "search"},
        {"colour": "blue"},
    ],
)
def test_a_query_that_breaks_its_schema_is_refused(nobody: Api, query: dict[str, str]) -> None:
    problem = assert_problem(nobody.get(f"/products?{urlencode(query)}"), 422, "validation-error")
    assert list(problem["errors"]) == list(query)


@pytest.mark.parametrize("offset_hours", [0, 2, -11])
def test_products_changed_since_a_moment_are_found(
    app: Flask, staff: Api, offset_hours: int
) -> None:
    old, changed = make_product(app, sku="OLD"), make_product(app, sku="CHANGED")
    moment = max(old.updated_at, changed.updated_at) + timedelta(microseconds=1)
    staff.patch(f"/products/{changed.id}", json={"name": "New"}, if_match="*")
    make_product(app, sku="NEW")
    local = (moment + timedelta(hours=offset_hours)).replace(tzinfo=None).isoformat()
    query = urlencode({"updated_since": f"{local}{offset_hours:+03}:00", "sort": "sku"})
    assert walk(staff, f"/products?{query}") == ["CHANGED", "NEW"]


def test_the_moment_of_a_change_itself_counts_as_since(app: Flask, staff: Api) -> None:
    product = make_product(app)
    query = urlencode({"updated_since": product.updated_at.isoformat()})
    assert walk(staff, f"/products?{query}") == [product.sku]


@pytest.mark.parametrize(
    ("moment", "amount"), [("0001-01-01T00:00:00Z", 1), ("9999-12-31T23:59:59Z", 0)]
)
def test_the_ends_of_time_are_moments(app: Flask, nobody: Api, moment: str, amount: int) -> None:
    make_product(app)
    assert len(walk(nobody, f"/products?updated_since={moment}")) == amount


def test_a_list_counts_only_when_it_is_asked_to(app: Flask, nobody: Api) -> None:
    make_product(app)
    assert "total" not in nobody.get("/products").get_json()
    assert "total" not in nobody.get("/products?count=false").get_json()
    assert nobody.get("/products?count=true").get_json()["total"] == 1


def test_a_total_counts_all_matches_on_every_page(app: Flask, nobody: Api, staff: Api) -> None:
    for number in range(5):
        make_product(
            app, family="mugs" if number else "cups", status="draft" if number > 3 else "active"
        )
    path = "/products?count=true&limit=2&family=mugs"
    assert [page["total"] for page in pages(nobody, path)] == [3, 3]
    assert [page["total"] for page in pages(staff, path)] == [4, 4]


def test_an_empty_list_is_a_page(nobody: Api) -> None:
    page = nobody.get("/products?count=true")
    assert page.get_json() == {"items": [], "next_cursor": None, "total": 0}
    assert "Link" not in page.headers


def test_a_list_shows_only_the_fields_that_are_named(app: Flask, nobody: Api) -> None:
    for number in range(3):
        make_product(app, sku=f"MUG-{number}", price=1)
    items = [
        item
        for page in pages(nobody, "/products?fields=sku,price&limit=2&sort=sku")
        for item in page["items"]
    ]
    assert items == [{"sku": f"MUG-{number}", "price": "1.00"} for number in range(3)]


@pytest.mark.parametrize("names", ["description", "id,description", "description,updated_at"])
@pytest.mark.parametrize(
    "text", [None, "plain", 'a "quoted" \\ one', "lines\nand\ttabs", "Größe 🫖\u2028%s :x $1"]
)
def test_a_description_is_one_of_the_fields_that_can_be_named(
    app: Flask, nobody: Api, names: str, text: str | None
) -> None:
    whole = nobody.get(f"/products/{make_product(app, description=text).id}").get_json()
    (item,) = nobody.get(f"/products?fields={names}").get_json()["items"]
    assert item == {name: whole[name] for name in names.split(",")}
    assert item["description"] == text

"""Lists of products in every order, page by page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer

from stockroom.products.filters import SORTS
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.products.walking import pages, walk

# Neighbours share a price and a name, so that pages end amid products that tie.
AMOUNT = 9
KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "created_at": lambda item: item["created_at"],
    "updated_at": lambda item: item["updated_at"],
    "name": lambda item: item["name"],
    "price": lambda item: float(item["price"]),
    "sku": lambda item: item["sku"],
}
COLUMN_SORTS = [sort for sort in SORTS if sort != "relevance"]


@pytest.fixture
def catalogue(app: Flask, staff: Api) -> None:
    for number in range(AMOUNT):
        product = make_product(
            app, sku=f"S{number * 7 % AMOUNT}", name=f"Mug {number // 3}", price=number % 4
        )
        if number % 2:
            staff.patch(f"/products/{product.id}", json={"family": "odd"}, if_match="*")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("limit", [1, 2, AMOUNT, 200])
@pytest.mark.parametrize("sort", COLUMN_SORTS)
def test_pages_hold_every_product_once_and_in_order(nobody: Api, sort: str, limit: int) -> None:
    path = f"/products?{urlencode({'sort': sort, 'limit': limit})}"
    items = [item for page in pages(nobody, path) for item in page["items"]]
    key = KEYS[sort.removeprefix("-")]
    expected = sorted(
        items, key=lambda item: (key(item), UUID(item["id"])), reverse=sort.startswith("-")
    )
    assert items == expected
    assert len({item["id"] for item in items}) == len(items) == AMOUNT


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("sort", COLUMN_SORTS)
def test_the_cursor_asks_for_the_same_page_as_the_link(nobody: Api, sort: str) -> None:
    query = {"sort": sort, "limit": 4, "count": "true"}
    by_link = pages(nobody, f"/products?{urlencode(query)}")
    cursor = next(by_link)["next_cursor"]
    by_cursor = nobody.get(f"/products?{urlencode({**query, 'cursor': cursor})}")
    assert by_cursor.get_json() == next(by_link)


@pytest.mark.usefixtures("catalogue")
def test_the_newest_come_first_where_no_order_is_named(nobody: Api) -> None:
    assert walk(nobody, "/products?limit=2") == walk(nobody, "/products?sort=-created_at")


def test_the_last_page_has_no_next_one(app: Flask, nobody: Api) -> None:
    for _ in range(4):
        make_product(app)
    assert [page["next_cursor"] is None for page in pages(nobody, "/products?limit=2")] == [
        False,
        True,
    ]


@pytest.mark.parametrize("letter", ["\u4e00", "\U0001f600", "\uffff", '"', "\\"])
def test_the_cursor_of_the_longest_name_is_taken_back(app: Flask, nobody: Api, letter: str) -> None:
    for number in range(3):
        # Names that no compression shortens.
        name = "".join(chr(ord(letter) + place * 7919 % 5000) for place in range(199))
        make_product(app, name=f"{name}{number}" if ord(letter) > 0x3000 else letter * 200)
    assert len(walk(nobody, "/products?sort=name&limit=1")) == 3


@pytest.mark.parametrize(("sort", "is_compressed"), [("price", False), ("name", True)])
def test_a_cursor_is_compressed_if_it_is_long(
    app: Flask, nobody: Api, sort: str, is_compressed: bool
) -> None:
    for _ in range(2):
        make_product(app, name="a" * 200)
    page = nobody.get(f"/products?sort={sort}&limit=1").get_json()
    assert page["next_cursor"].startswith(".") == is_compressed
    rest = nobody.get(f"/products?sort={sort}&cursor={page['next_cursor']}").get_json()
    assert len(rest["items"]) == 1


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("other", ["-name", "price", "created_at"])
def test_a_cursor_of_another_order_is_refused(nobody: Api, other: str) -> None:
    cursor = nobody.get("/products?sort=name&limit=1").get_json()["next_cursor"]
    response = nobody.get(f"/products?sort={other}&cursor={cursor}")
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["cursor"]


@pytest.mark.usefixtures("catalogue")
def test_a_cursor_is_bound_to_the_shops_secret(make_app: Callable[..., Flask], nobody: Api) -> None:
    other_shop = Api(make_app(secret_key="another secret altogether"))
    cursor = other_shop.get("/products?limit=1").get_json()["next_cursor"]
    assert_problem(nobody.get(f"/products?cursor={cursor}"), 422, "validation-error")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "cursor", ["", "x", "e30.x", "A" * 2001, "%00", "ü", "W10", "-", ".", ".."]
)
def test_a_made_up_cursor_is_refused(nobody: Api, cursor: str) -> None:
    response = nobody.get(f"/products?cursor={cursor}")
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["cursor"]


@pytest.mark.usefixtures("catalogue")
def test_a_cursor_with_one_letter_changed_is_refused(nobody: Api) -> None:
    cursor = nobody.get("/products?limit=1").get_json()["next_cursor"]
    for place in range(0, len(cursor) - 1, 5):
        forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert_problem(nobody.get(f"/products?cursor={forged}"), 422, "validation-error")


@pytest.mark.parametrize(
    "content", [[], ["-created_at"], {}, "text", None, 1, [1, 2], ["-created_at", "no id"]]
)
def test_a_cursor_that_we_signed_for_something_else_is_refused(
    app: Flask, nobody: Api, content: object
) -> None:
    secret = app.config["SECRET_KEY"]
    cursor = URLSafeSerializer(secret, salt="other").dumps(content)
    assert_problem(nobody.get(f"/products?cursor={cursor}"), 422, "validation-error")

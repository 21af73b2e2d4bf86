"""Full-text search: stems, beginnings of words, and whatever people type."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from stockroom.core.transaction import reading
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.products.walking import walk

PRODUCTS = {
    "MUG-BLUE": ("Blue mugs with cherries", None),
    "TL-1": ("White hanging heart t-light holder", "For candles, burning slowly."),
    "22423": ("Regency cakestand 3 tier", "It's a classic & the best!"),
    "ROSE/1": ("Rosé glasses, groß", "Für Wein"),
    "商品": ("日本の湯呑み", None),
}


@pytest.fixture
def catalogue(app: Flask) -> None:
    for sku, (name, description) in PRODUCTS.items():
        make_product(app, sku=sku, name=name, description=description)


def search(reader: Api, q: str) -> list[str]:
    return walk(reader, f"/products?{urlencode({'q': q})}")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("q", "sku"),
    [
        ("mug", "MUG-BLUE"),
        ("MUGS", "MUG-BLUE"),
        ("cherry", "MUG-BLUE"),
        ("mug-blue", "MUG-BLUE"),
        ("mug-bl", "MUG-BLUE"),
        ("blue mug", "MUG-BLUE"),
        ("mug blue", "MUG-BLUE"),
        ("  blue   mug  ", "MUG-BLUE"),
        ("blue mug with", "MUG-BLUE"),
        ("blue che", "MUG-BLUE"),
        ("the blue mug", "MUG-BLUE"),
        ("heart t-light", "TL-1"),
        ("heart t-li", "TL-1"),
        ("candle", "TL-1"),
        ("burn", "TL-1"),
        ("burned hearts", "TL-1"),
        ("hanging hol", "TL-1"),
        ("22423", "22423"),
        ("224", "22423"),
        ("cakestand 3", "22423"),
        ("classic & best", "22423"),
        ("it's", "22423"),
        ("ROSE/1", "ROSE/1"),
        ("rosé", "ROSE/1"),
        ("ROSE\u0301", "ROSE/1"),
        ("groß", "ROSE/1"),
        ("wein", "ROSE/1"),
        ("商品", "商品"),
        ("日本", "商品"),
        ('"heart" t-light', "TL-1"),
        ("heart!", "TL-1"),
        ("(heart)", "TL-1"),
    ],
)
def test_a_search_finds(nobody: Api, q: str, sku: str) -> None:
    assert search(nobody, q) == [sku]


@pytest.mark.parametrize(
    ("sku", "name", "q"),
    [
        ("CUP-12", "Cup", "cup 12"),
        ("CUP-12", "Cup", "12 cup"),
        ("CUP-12", "Cup", "cup 1"),
        ("CUP-12", "Cup", "CUP-1"),
        ("CUP 12", "Cup", "cup-12"),
        ("TEE-10XL", "Tee", "TEE-10"),
        ("1", "Size 10-14 kettle", "kettle 14"),
        ("1", "Size 10-14 kettle", "14 10 kettle"),
        ("1", "Size 10-14 kettle", "-14-10"),
        ("1", "Pipe, 2-1.5 m", "pipe 1.5"),
        ("1", "Since 1950-01-31", "31 since"),
    ],
)
def test_a_number_is_found_with_a_hyphen_before_it_and_without(
    app: Flask, nobody: Api, sku: str, name: str, q: str
) -> None:
    make_product(app, sku=sku, name=name)
    assert search(nobody, q) == [sku]


@pytest.mark.parametrize("q", ["cup 2", "cup 1 lid", "cup 13", "cup -2", "a''12''b"])
def test_another_number_is_not_found(app: Flask, nobody: Api, q: str) -> None:
    make_product(app, sku="CUP-12", name="Cup with lid")
    assert search(nobody, q) == []


def test_a_number_behind_a_hyphen_is_part_of_a_phrase(app: Flask, nobody: Api) -> None:
    make_product(app, sku="2", name="Cup, 1 of 12 colours")
    make_product(app, sku="1", name="Large cup-12", description="For breakfast.")
    make_product(app, sku="3", name="12 of these, each a cup")
    assert search(nobody, "cup 12")[0] == "1"


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("q", ["mug heart", "ug", "blue che mug", "heart | mug", "zebra"])
def test_a_search_wants_every_word_and_only_the_last_may_be_a_beginning(
    nobody: Api, q: str
) -> None:
    assert search(nobody, q) == []


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "q",
    [
        "!!!",
        "&",
        "|",
        "<->",
        ":*",
        "mug:*",
        "mug:A",
        "!mug",
        "mug & !blue",
        "(",
        "mug)",
        "'",
        "''",
        "mug'",
        "'mug",
        "\\",
        "mug\\",
        "\\'",
        "\\\\'",
        "%",
        "_",
        '"',
        "'; DROP TABLE products; --",
        "the",
        "the and of",
        "a",
        "\u3000x",
        "🫖",
        "x" * 200,
        "ß" * 200,
        "' " * 100,
        "http://example.com/a?b=c#d",
        "example.com/a'12'b'-3",
        "example.com/'12' x",
        "a@b.example",
        "1.5e10",
        "-1",
        "<b>mug</b>",
    ],
)
def test_whatever_is_typed_is_a_search(nobody: Api, q: str) -> None:
    response = nobody.get(f"/products?{urlencode({'q': q, 'count': 'true'})}")
    assert response.status_code == 200
    assert response.get_json()["total"] <= len(PRODUCTS)


@pytest.mark.parametrize("q", ["", "   ", "\x00", "mug\x00", "a\nb", "x" * 201])
def test_what_is_no_line_of_text_is_refused(nobody: Api, q: str) -> None:
    response = nobody.get(f"/products?{urlencode({'q': q})}")
    assert list(assert_problem(response, 422, "validation-error")["errors"]) == ["q"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=60))
def test_every_text_is_a_search(nobody: Api, q: str) -> None:
    assert nobody.get(f"/products?{urlencode({'q': f'x{q}'})}").status_code == 200


def test_the_best_match_comes_first(app: Flask, nobody: Api) -> None:
    make_product(app, sku="4", name="Jug", description="Not a mug, although blue")
    make_product(app, sku="3", name="Mug with a rim of a lighter blue")
    make_product(app, sku="2", name="Blue mug")
    assert search(nobody, "blue mug") == ["2", "3", "4"]


def test_a_sku_ranks_above_a_name_and_a_name_above_a_description(app: Flask, nobody: Api) -> None:
    make_product(app, sku="3", name="Plate", description="Zinc")
    make_product(app, sku="2", name="Zinc plate")
    make_product(app, sku="ZINC", name="Plate")
    assert search(nobody, "zinc") == ["ZINC", "2", "3"]


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("q", ["mug", "blue mug", "mu", "the", "blue m"])
def test_pages_by_relevance_hold_every_match_once(
    app: Flask, nobody: Api, q: str, limit: int
) -> None:
    for number in range(8):
        name = ("The blue mug", "Mug", "Blue and other mugs", "Blue mug of the house")[number % 4]
        make_product(app, name=name, description="mug " * (number % 3))
    whole = walk(nobody, f"/products?{urlencode({'q': q})}")
    assert walk(nobody, f"/products?{urlencode({'q': q, 'limit': limit})}") == whole
    assert len(set(whole)) == len(whole) > 0


def test_a_search_can_be_sorted_otherwise(app: Flask, nobody: Api) -> None:
    for price in (2, 1, 3):
        make_product(app, name="Mug", price=price)
    assert walk(nobody, "/products?q=mug&sort=price&limit=1", "price") == ["1.00", "2.00", "3.00"]


def test_a_search_and_a_filter_both_hold(app: Flask, nobody: Api) -> None:
    make_product(app, sku="A", name="Mug", family="blue")
    make_product(app, sku="B", name="Mug", family="red")
    assert walk(nobody, "/products?q=mug&family=red") == ["B"]


def test_a_changed_name_is_found_and_the_old_one_is_not(app: Flask, staff: Api) -> None:
    product = make_product(app, name="Mug")
    staff.patch(f"/products/{product.id}", json={"name": "Teapot"}, if_match="*")
    assert (search(staff, "teapot"), search(staff, "mug")) == ([product.sku], [])


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [("", True), ("&sort=relevance", True), ("&sort=name", False), ("&family=x", False)],
)
def test_a_plan_is_kept_where_one_is_good_for_all_words(
    make_app: Callable[..., Flask],
    servers: dict[str, str],
    database: str,
    more: str,
    is_kept: bool,
) -> None:
    # A connection of its own, which no PgBouncer gave to others before.
    address = servers["postgres"].format(database)
    shop = make_app(database_url=address, database_pool_size=1, database_prepare=True)
    assert Api(shop).get(f"/products?q=blue+mug{more}").status_code == 200
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%to_tsquery%'"
    with shop.app_context(), reading() as session:
        assert session.scalar(text(kept)) == is_kept

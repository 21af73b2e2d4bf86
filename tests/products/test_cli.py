"""``flask products list``."""

import json

import pytest
from click.testing import Result
from flask import Flask

from tests.factories.products import make_product


def listed(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", "list", *options])


def test_products_stand_under_their_columns_newest_first(app: Flask) -> None:
    make_product(app, sku="A", name="Mug", price=1)
    make_product(app, sku="LONG-SKU", name="Größe", price=2, currency="JPY", status="draft")
    header, *lines = listed(app).stdout.splitlines()
    assert header.split() == ["sku", "name", "price", "currency", "status", "id"]
    assert [line.split()[:5] for line in lines] == [
        ["LONG-SKU", "Größe", "2", "JPY", "draft"],
        ["A", "Mug", "1.00", "EUR", "active"],
    ]
    assert len({line.index(line.split()[1]) for line in (header, *lines)}) == 1


def test_products_are_listed_as_json_where_that_is_asked_for(app: Flask) -> None:
    product = make_product(app, sku="A", name="Größe")
    (row,) = json.loads(listed(app, "--json").stdout)
    assert row == {
        "sku": "A",
        "name": "Größe",
        "price": "9.50",
        "currency": "EUR",
        "status": "active",
        "id": str(product.id),
    }


@pytest.mark.parametrize(
    ("options", "skus"),
    [
        ([], {"A", "B"}),
        (["--q", "mug"], {"A"}),
        (["--family", "cups"], {"B"}),
        (["--status", "draft"], {"B"}),
        (["--status", "archived"], {"C"}),
        (["--q", "mug", "--status", "draft"], set()),
    ],
)
def test_a_list_holds_what_is_asked_for(app: Flask, options: list[str], skus: set[str]) -> None:
    make_product(app, sku="A", name="Mugs")
    make_product(app, sku="B", name="Cup", family="cups", status="draft")
    make_product(app, sku="C", name="Jug", status="archived")
    rows = json.loads(listed(app, *options, "--json").stdout)
    assert {row["sku"] for row in rows} == skus


def test_a_list_longer_than_a_page_is_whole(app: Flask) -> None:
    for _ in range(201):
        make_product(app)
    assert len(json.loads(listed(app, "--json").stdout)) == 201


def test_an_empty_catalogue_is_a_header_or_an_empty_array(app: Flask) -> None:
    assert listed(app).stdout.split()[0] == "sku"
    assert json.loads(listed(app, "--json").stdout) == []


@pytest.mark.parametrize("options", [["--q", ""], ["--family", "x" * 65], ["--q", "a\nb"]])
def test_what_the_api_would_refuse_is_refused_in_one_line(app: Flask, options: list[str]) -> None:
    result = listed(app, *options)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {options[0].strip('-')}: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_unknown_status_is_a_usage_error(app: Flask) -> None:
    assert listed(app, "--status", "sold").exit_code == 2

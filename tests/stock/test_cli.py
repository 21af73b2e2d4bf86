"""``flask stock``: showing, moving, and what runs low."""

import json

import pytest
from flask import Flask

from stockroom.stock.cli import sparkline
from tests.api import Api
from tests.factories.products import make_product
from tests.factories.stock import levels, make_location, put
from tests.stock.commands import stock


@pytest.mark.parametrize(
    ("values", "drawn"), [([0, 7], "▁█"), ([3, 3, 3], "▁▁▁"), ([1, 2, 3, 2], "▁▄█▄"), ([5], "▁")]
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values: list[int], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_product_is_shown_with_levels_movements_and_a_sparkline(app: Flask) -> None:
    mug = make_product(app, sku="MUG", stock=10)
    put(app, mug.id, 5, make_location(app))
    assert stock(app, "move", "mug", "shipped", 8, "--reference", "order 7").exit_code == 0
    shown = stock(app, "show", "mug").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["main", "2", "0", "2"] in lines
    assert ["in", "all", "7", "0", "7"] in lines
    assert ["▁▅█▄"] in lines
    assert lines[-1][2:] == ["shipped", "-8", "2", "main", "order", "7"]
    as_json = json.loads(stock(app, "show", "MUG", "--last", 2, "--json").stdout)
    assert [it["change"] for it in as_json] == [5, -8]


def test_a_product_that_never_moved_is_shown(app: Flask) -> None:
    make_product(app, sku="NEW")
    assert "Nothing was ever moved." in stock(app, "show", "NEW").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "NOBODY"], "No such product"),
        (["move", "MUG", "shipped", "11"], "11 of MUG at main asked for, 10 available."),
        (["move", "MUG", "adjusted", "3"], "reason: An adjustment needs a reason."),
        (["move", "MUG", "received", "0"], "quantity: Nothing is moved."),
        (["move", "MUG", "received", "1", "--location", "x"], "location: No such location."),
        (["move", "NOBODY", "received", "1"], "No such product"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(app: Flask, arguments: list[str], message: str) -> None:
    make_product(app, sku="MUG", stock=10)
    result = stock(app, *arguments)
    assert result.exit_code == 1
    assert result.output == f"Error: {message}\n"


def test_an_adjustment_downwards_is_typed_behind_two_hyphens(app: Flask, staff: Api) -> None:
    mug = make_product(app, sku="MUG", stock=10)
    result = stock(app, "move", "MUG", "adjusted", "--reason", "damaged", "--", "-2")
    assert result.output == "-2 at main: 8 on hand\n"
    told = stock(app, "move", "MUG", "received", "5", "--json").stdout
    assert json.loads(told)["balance"] == 13
    assert levels(app, mug.id) == {"main": (13, 0)}


def test_what_runs_low_is_listed(app: Flask) -> None:
    make_product(app, sku="MUG", name="Mug", stock=3)
    make_product(app, sku="CUP", stock=30)
    assert json.loads(stock(app, "low", "--json").stdout) == [
        {"sku": "MUG", "name": "Mug", "available": 3, "threshold": 5}
    ]
    assert stock(app, "low").stdout.splitlines()[1].split() == ["MUG", "Mug", "3", "5"]

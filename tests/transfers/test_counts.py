"""The stock column of a catalogue file: a count, whose difference is booked."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from stockroom.stock.counting import count
from tests.api import Api
from tests.factories.products import LOWERED_OTHERWISE_BY_PYTHON, make_product
from tests.factories.stock import (
    assert_books_agree,
    levels,
    make_location,
    make_reservation,
    put,
)
from tests.transfers.commands import HEADER, counts, import_text, products

HEAD = f"{HEADER},stock"


def movements(staff: Api, product_id: Any) -> list[tuple[Any, ...]]:
    items = staff.get(f"/products/{product_id}/movements").get_json()["items"]
    return [(it["kind"], it["change"], it["reference"]) for it in items]


def test_a_new_product_has_received_what_the_file_counts(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    import_text(app, tmp_path, f"{HEAD}\nMUG,Mug,1,12\nCUP,Cup,1,0\nPOT,Pot,1,\n")
    mug = staff.get("/products/by-sku/MUG").get_json()
    assert movements(staff, mug["id"]) == [("received", 12, "import of products.csv")]
    for sku in ("CUP", "POT"):
        other = staff.get(f"/products/by-sku/{sku}").get_json()
        assert (other["available"], movements(staff, other["id"])) == (0, [])


def test_the_difference_to_what_is_there_is_an_adjustment(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    more, fewer, same, silent = (
        make_product(app, sku=sku, name=sku, price="1", stock=10)
        for sku in ("MORE", "FEWER", "SAME", "SILENT")
    )
    text = f"{HEAD}\nMORE,MORE,1,13\nFEWER,FEWER,1,4\nSAME,SAME,1,10\nSILENT,SILENT,1,\n"
    told = counts(import_text(app, tmp_path, text, "--json"))
    assert told == {"updated": 2, "unchanged": 2}
    assert movements(staff, more.id)[0] == ("adjusted", 3, "import of products.csv")
    assert movements(staff, fewer.id)[0] == ("adjusted", -6, "import of products.csv")
    assert (len(movements(staff, same.id)), len(movements(staff, silent.id))) == (1, 1)
    assert counts(import_text(app, tmp_path, text, "--json")) == {"unchanged": 4}
    assert_books_agree(app)


@pytest.mark.parametrize("sku", LOWERED_OTHERWISE_BY_PYTHON)
def test_pieces_are_counted_whatever_letters_their_sku_has(
    app: Flask, staff: Api, tmp_path: Path, sku: str
) -> None:
    import_text(app, tmp_path, f"{HEAD}\n{sku},Lens,5.00,40\n")
    assert staff.get(f"/products/by-sku/{sku}").get_json()["available"] == 40
    assert_books_agree(app)


@pytest.mark.usefixtures("app_context")
def test_a_count_of_what_there_is_not_is_refused(app: Flask) -> None:
    make_product(app, sku="OLD", status="archived")
    counted = count({"OLD": 5, "NONE": 0}, "count 1")
    assert counted.refused == {
        "OLD": "stock: no product has the SKU OLD",
        "NONE": "stock: no product has the SKU NONE",
    }


def test_a_row_that_archives_counts_nothing(app: Flask, staff: Api, tmp_path: Path) -> None:
    mug = make_product(app, sku="MUG", name="Mug", price="1", stock=10)
    text = f"{HEAD},status\nMUG,Mug,1,7,archived\nNONE,None,1,3,archived\n"
    assert counts(import_text(app, tmp_path, text, "--json")) == {"updated": 1, "unchanged": 1}
    assert staff.get(f"/products/{mug.id}").get_json()["status"] == "archived"
    assert len(movements(staff, mug.id)) == 1


def test_a_count_is_of_all_locations_and_booked_at_main(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    mug = make_product(app, sku="MUG", name="Mug", price="1", stock=4)
    put(app, mug.id, 6, make_location(app))
    import_text(app, tmp_path, f"{HEAD}\nMUG,Mug,1,9\n")
    assert levels(app, mug.id) == {"main": (3, 0), "shop": (6, 0)}


def test_what_is_promised_or_elsewhere_cannot_be_counted_away(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    mug = make_product(app, sku="MUG", name="Mug", price="1", stock=10)
    make_reservation(app, mug.id, 8)
    result = import_text(app, tmp_path, f"{HEAD}\nMUG,Cup,2,5\nNEW,New,1,3\n")
    assert result.stdout == "1 created, 0 updated, 0 unchanged, 1 rejected\n"
    assert "line 2: stock: 5 pieces less than now, but only 2 are at main" in result.stderr
    # A row is taken whole, or not at all.
    read = staff.get(f"/products/{mug.id}").get_json()
    assert (read["name"], read["price"], read["available"]) == ("Mug", "1.00", 2)
    assert staff.get("/products/by-sku/NEW").get_json()["available"] == 3
    assert_books_agree(app)


def test_a_dry_run_tells_the_counts_and_books_nothing(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    mug = make_product(app, sku="MUG", name="Mug", price="1", stock=10)
    text = f"{HEAD}\nMUG,Mug,1,5\nNEW,New,1,3\n"
    told = counts(import_text(app, tmp_path, text, "--json", "--dry-run"))
    assert told == {"created": 1, "updated": 1, "dry_run": True}
    assert levels(app, mug.id) == {"main": (10, 0)}
    assert_books_agree(app)


@pytest.mark.parametrize("cell", ["-1", "1.5", "many", "1e3", "99999999999"])
def test_what_is_no_count_is_named(app: Flask, tmp_path: Path, cell: str) -> None:
    result = import_text(app, tmp_path, f"{HEAD}\nMUG,Mug,1,{cell}\n")
    assert result.stdout == "0 created, 0 updated, 0 unchanged, 1 rejected\n"
    assert "line 2: stock: " in result.stderr


def test_an_export_has_what_is_on_hand_and_can_be_imported_again(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    mug = make_product(app, sku="MUG", stock=10, low_stock_threshold=3)
    put(app, mug.id, 5, make_location(app))
    make_reservation(app, mug.id, 2)
    exported = products(app, "export").stdout
    (row,) = csv.DictReader(io.StringIO(exported))
    assert (row["stock"], row["low_stock_threshold"]) == ("15", "3")
    assert counts(import_text(app, tmp_path, exported, "--json")) == {"unchanged": 1}
    cleared = exported.replace(",15,3", ",15,")
    assert counts(import_text(app, tmp_path, cleared, "--json")) == {"updated": 1}
    assert staff.get(f"/products/{mug.id}").get_json()["low_stock_threshold"] is None

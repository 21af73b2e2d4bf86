"""``flask products import``: what it does, says and refuses."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from stockroom.transfers.formats import Format
from stockroom.transfers.imports import import_file
from stockroom.transfers.product_rows import ProductRows
from tests.api import Api
from tests.factories.products import make_product
from tests.transfers.commands import HEADER, counts, import_rows, import_text, products, skus

MUG = {"sku": "MUG", "name": "Mug", "price": "1.00"}


def test_rows_become_products(app: Flask, staff: Api, tmp_path: Path) -> None:
    text = f'{HEADER},currency,options\nMUG,Mug,1.5,GBP,"{{""size"":""L""}}"\nCUP,Cup,2,,\n'
    result = import_text(app, tmp_path, text)
    assert result.stdout == "2 created, 0 updated, 0 unchanged, 0 rejected\n"
    mug, cup = (staff.get(f"/products/by-sku/{sku}").get_json() for sku in ("MUG", "CUP"))
    assert (mug["price"], mug["currency"], mug["options"]) == ("1.50", "GBP", {"size": "L"})
    assert (cup["price"], cup["currency"], cup["options"]) == ("2.00", "EUR", {})


def test_an_import_is_told_as_json_where_that_is_asked_for(app: Flask, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER}\nA,A,1\nB,,1\n", "--json")
    assert json.loads(result.stdout) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "dry_run": False,
    }


def test_an_import_updates_what_differs_and_leaves_the_rest_alone(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    same = make_product(app, **MUG, family="mugs")
    other = make_product(app, **{**MUG, "sku": "CUP"})
    told = import_rows(app, tmp_path, MUG, {**MUG, "sku": "CUP", "price": "2"})
    assert told == {"unchanged": 1, "updated": 1}
    assert staff.get(f"/products/{same.id}").headers["ETag"].startswith('"1-')
    changed = staff.get(f"/products/{other.id}")
    assert changed.headers["ETag"].startswith('"2-')
    assert changed.get_json()["price"] == "2.00"


@pytest.mark.parametrize(
    ("stored", "row", "result"),
    [
        ({"description": "Big"}, {}, "unchanged"),
        ({"description": "Big"}, {"description": None}, "updated"),
        ({"description": "Big"}, {"description": " Big "}, "unchanged"),
        ({"options": {"size": "L"}}, {"options": {}}, "updated"),
        (
            {"options": {"size": "L", "hue": "red"}},
            {"options": {"hue": "red", "size": "L"}},
            "unchanged",
        ),
        ({"attributes": {"a": 1}}, {"attributes": {"a": True}}, "updated"),
        ({"attributes": {"a": 1e20}}, {"attributes": {"a": 1e20}}, "unchanged"),
        ({"attributes": {"a": 1e308}}, {"attributes": {"a": 1e308}}, "unchanged"),
        ({"price": "1.5"}, {"price": "1.50"}, "unchanged"),
        ({}, {"status": "draft"}, "updated"),
        ({"status": "draft"}, {}, "unchanged"),
        ({"status": "archived"}, {}, "created"),
        ({"status": "archived"}, {"status": "archived"}, "unchanged"),
        ({"sku": "mug"}, {}, "rejected"),
        ({}, {"currency": "JPY", "price": "1.5"}, "rejected"),
        ({"currency": "JPY", "price": 1}, {"price": "1.5"}, "rejected"),
    ],
)
def test_a_row_is_weighed_against_what_is_stored(
    app: Flask, tmp_path: Path, stored: dict[str, Any], row: dict[str, Any], result: str
) -> None:
    make_product(app, **{**MUG, **stored})
    assert import_rows(app, tmp_path, {**MUG, **row}) == {result: 1}


def test_an_empty_cell_clears_a_text_and_leaves_a_currency(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    make_product(app, **{**MUG, "currency": "GBP", "description": "Big", "options": {"a": "b"}})
    import_text(app, tmp_path, f"{HEADER},currency,description,options,status\nMUG,Mug,1,,,,\n")
    mug = staff.get("/products/by-sku/MUG").get_json()
    assert (mug["currency"], mug["description"], mug["options"]) == ("GBP", None, {})


def test_a_bad_row_never_stops_the_good_ones(app: Flask, staff: Api, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER}\nA,A,1\nB,B,x\nC,,1\nD,D,1.001\nE,E,5\n")
    assert skus(staff) == ["A", "E"]
    assert "2 created, 0 updated, 0 unchanged, 3 rejected" in result.stdout
    lines = result.stderr.splitlines()
    assert [line.split(":")[:2] for line in lines] == [
        ["line 3", " price"],
        ["line 4", " name"],
        ["line 5", " price"],
    ]


def test_of_many_bad_rows_the_first_are_shown(app: Flask, tmp_path: Path) -> None:
    rows = "".join(f"S{number},Mug,\n" for number in range(25))
    result = import_text(app, tmp_path, f"{HEADER}\n{rows}")
    *shown, last = result.stderr.splitlines()
    assert len(shown) == 10
    assert last == "… and 15 more; --rejects FILE keeps them all"


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        ("MUG", "SKU MUG stands in line 2 already"),
        ("mug", "SKU mug differs only in case from MUG in line 2"),
        (" MUG ", "SKU MUG stands in line 2 already"),
    ],
)
def test_a_sku_counts_once_in_a_file(
    app: Flask, staff: Api, tmp_path: Path, again: str, reason: str
) -> None:
    filler = "".join(f"S{number},Filler,1\n" for number in range(600))
    result = import_text(app, tmp_path, f"{HEADER}\nMUG,Mug,1\n{filler}{again},Cup,2\n")
    assert f"line 603: {reason}" in result.stderr
    assert staff.get("/products/by-sku/mug").get_json()["name"] == "Mug"


@pytest.mark.parametrize(
    ("row", "told"),
    [("φως,Lens,1", {"created": 2}), ("φωσ,Lens,1", {"created": 1, "rejected": 1})],
)
def test_two_skus_in_a_file_are_one_where_the_database_says_so(
    app: Flask, tmp_path: Path, row: str, told: dict[str, int]
) -> None:
    text = f"{HEADER}\nΦΩΣ,Lens,1\n{row}\n"
    assert counts(import_text(app, tmp_path, text, "--json")) == told


def test_a_row_that_is_rejected_does_not_take_its_sku(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    import_text(app, tmp_path, f"{HEADER}\nMUG,Mug,\nmug,Mug,1\n")
    assert skus(staff) == ["mug"]


def test_a_dry_run_tells_the_same_and_writes_nothing(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    make_product(app, **MUG)
    make_product(app, **{**MUG, "sku": "CUP"})
    before = [staff.get(f"/products/by-sku/{sku}").get_json() for sku in skus(staff)]
    text = f"{HEADER}\nMUG,Mug,1\nCUP,Cup,2\nNEW,New,3\ncup,x,1\nBAD,,1\n"
    dry = import_text(app, tmp_path, text, "--dry-run", "--json")
    assert [staff.get(f"/products/by-sku/{sku}").get_json() for sku in skus(staff)] == before
    assert counts(dry).pop("dry_run")
    wet = counts(import_text(app, tmp_path, text, "--json"))
    assert {**wet, "dry_run": True} == counts(dry)
    assert wet == {"created": 1, "updated": 1, "unchanged": 1, "rejected": 2}


def test_a_dry_run_says_so(app: Flask, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER}\nA,A,1\n", "--dry-run")
    assert result.stdout.endswith("0 rejected (dry run: nothing was written)\n")


def test_unknown_columns_are_named_once_and_ignored(app: Flask, staff: Api, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER},colour,Weight\nA,A,1,red,\nB,B,1,blue,\n")
    assert result.stderr == "Ignored columns: colour, weight\n"
    assert skus(staff) == ["A", "B"]


def test_unknown_names_in_ndjson_are_named_once_and_ignored(app: Flask, tmp_path: Path) -> None:
    text = json.dumps({**MUG, "colour": "red"}) + "\n" + json.dumps({**MUG, "sku": "B", "id": 1})
    result = import_text(app, tmp_path, text, kind="jsonl")
    assert result.stderr == "Ignored columns: colour, id\n"


def test_the_standard_input_is_a_file(app: Flask, staff: Api) -> None:
    result = products(app, "import", "-", input=f"{HEADER}\nA,Ä,1\n".encode())
    assert result.exit_code == 0, result.output
    assert staff.get("/products/by-sku/A").get_json()["name"] == "Ä"


def test_the_standard_input_is_of_the_format_that_is_named(app: Flask, staff: Api) -> None:
    result = products(app, "import", "-", "--format", "ndjson", input=json.dumps(MUG).encode())
    assert result.exit_code == 0, result.output
    assert skus(staff) == ["MUG"]


@pytest.mark.parametrize("command", ["list", "import", "export"])
def test_the_help_of_a_command_has_an_example(app: Flask, command: str) -> None:
    result = products(app, command, "--help")
    assert result.exit_code == 0
    assert f"Example: flask products {command}" in result.stdout


def test_an_import_from_a_binary_stream_stays_open(app: Flask, app_context: None) -> None:
    file = io.BytesIO(f"{HEADER}\nA,A,1\n".encode())
    import_file(file, Format.CSV, ProductRows("tests"))
    assert not file.closed

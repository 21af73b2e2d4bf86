"""``flask stock import``: a shop's history, which can be imported again and again."""

import json
import tracemalloc
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from stockroom.transfers.formats import Format, Row
from stockroom.transfers.imports import ROWS_AT_ONCE, import_file
from stockroom.transfers.movement_rows import MovementRows
from stockroom.transfers.writing import write_rows
from tests.api import Api
from tests.factories.products import LOWERED_OTHERWISE_BY_PYTHON, make_product
from tests.factories.stock import assert_books_agree, levels, make_location
from tests.threads import at_once

HEADER = "sku,kind,quantity,occurred_at,reference,location,to_location,reason"
HISTORY = f"""{HEADER}
MUG,received,10,2025-01-01T08:00:00Z,po 1,,,
MUG,shipped,3,2025-01-02T09:00:00Z,order 1,,,
mug,shipped,3,2025-01-02T09:00:00Z,order 1,,,
MUG,returned,1,2025-01-03T09:00:00Z,order 1,,,
MUG,adjusted,-1,,count 1,main,,broken
MUG,transferred,2,,van 1,,shop,
"""


@pytest.fixture
def mug(app: Flask) -> UUID:
    make_location(app)
    return make_product(app, sku="MUG").id


def import_history(app: Flask, folder: Path, text: str, *options: str) -> Any:
    file = folder / "history.csv"
    file.write_text(text, encoding="utf-8")
    return app.test_cli_runner().invoke(args=["stock", "import", str(file), *options])


def told(app: Flask, folder: Path, text: str, *options: str) -> dict[str, Any]:
    result = import_history(app, folder, text, "--json", *options)
    assert result.exit_code == 0, result.output
    return {name: value for name, value in json.loads(result.stdout).items() if value}


def test_rows_become_movements_in_their_order(
    app: Flask, staff: Api, mug: UUID, tmp_path: Path
) -> None:
    result = import_history(app, tmp_path, HISTORY)
    assert result.stdout == "6 recorded, 0 known, 0 rejected\n"
    assert levels(app, mug) == {"main": (2, 0), "shop": (2, 0)}
    listed = staff.get(f"/products/{mug}/movements").get_json()["items"][::-1]
    assert [(it["kind"], it["balance"]) for it in listed] == [
        ("received", 10),
        ("shipped", 7),
        ("shipped", 4),
        ("returned", 5),
        ("adjusted", 4),
        ("transferred", 2),
        ("transferred", 2),
    ]
    assert listed[0]["occurred_at"] == "2025-01-01T08:00:00+00:00"
    assert (listed[4]["reason"], listed[4]["reference"]) == ("broken", "count 1")
    assert_books_agree(app)


def test_the_same_file_twice_changes_nothing(app: Flask, mug: UUID, tmp_path: Path) -> None:
    assert told(app, tmp_path, HISTORY) == {"recorded": 6}
    before = levels(app, mug)
    assert told(app, tmp_path, HISTORY) == {"known": 6}
    assert levels(app, mug) == before


@pytest.mark.parametrize("sku", LOWERED_OTHERWISE_BY_PYTHON)
def test_movements_are_recorded_whatever_letters_their_sku_has(
    app: Flask, tmp_path: Path, sku: str
) -> None:
    product = make_product(app, sku=sku)
    assert told(app, tmp_path, f"{HEADER}\n{sku},received,3,,po 1,,,\n") == {"recorded": 1}
    assert levels(app, product.id) == {"main": (3, 0)}


@pytest.mark.parametrize(("sku", "other"), [("ΦΩΣ", "φωσ"), ("İNCİ", "inci")])
def test_rows_of_one_document_are_told_apart_however_they_spell_the_sku(
    app: Flask, tmp_path: Path, sku: str, other: str
) -> None:
    product = make_product(app, sku=sku)
    rows = f"{HEADER}\n{sku},received,3,,po 1,,,\n{other},received,3,,po 1,,,\n"
    assert told(app, tmp_path, rows) == {"recorded": 2}
    assert told(app, tmp_path, rows) == {"known": 2}
    assert levels(app, product.id) == {"main": (6, 0)}


def test_a_file_that_was_broken_off_is_completed(app: Flask, mug: UUID, tmp_path: Path) -> None:
    half = "\n".join(HISTORY.splitlines()[:3]) + "\n"
    assert told(app, tmp_path, half) == {"recorded": 2}
    assert told(app, tmp_path, HISTORY) == {"known": 2, "recorded": 4}
    assert_books_agree(app)


def test_the_same_file_imported_twice_at_once_is_recorded_once(
    app: Flask, mug: UUID, tmp_path: Path
) -> None:
    def run(_: int) -> Counter[str]:
        with app.app_context():
            return import_file(BytesIO(HISTORY.encode()), Format.CSV, MovementRows()).counts

    counts = sum(at_once(run, range(4)), Counter[str]())
    assert counts == {"recorded": 6, "known": 18}
    assert levels(app, mug) == {"main": (2, 0), "shop": (2, 0)}
    assert_books_agree(app)


def test_a_row_that_the_ledger_has_otherwise_is_named(
    app: Flask, mug: UUID, tmp_path: Path
) -> None:
    told(app, tmp_path, HISTORY)
    result = import_history(app, tmp_path, HISTORY.replace("received,10", "received,12"))
    assert result.stdout == "0 recorded, 5 known, 1 rejected\n"
    assert "line 2: the ledger has po 1 with +10 at main; " in result.stderr


@pytest.mark.parametrize(
    ("another", "has"),
    [
        ("4,,van 1,yard,shop", "+2 at shop"),
        ("2,,van 1,shop,main", "+2 at shop and -2 at main"),
        ("2,,van 1,main,yard", "-2 at main"),
        ("4,,van 1,main,shop", "-2 at main and +2 at shop"),
    ],
)
def test_another_transfer_under_the_same_reference_is_named_and_the_others_are_taken(
    app: Flask, mug: UUID, tmp_path: Path, another: str, has: str
) -> None:
    make_location(app, "yard")
    told(app, tmp_path, HISTORY)
    before = levels(app, mug)
    text = f"{HEADER}\nMUG,received,30,,po 77,yard,,\nMUG,transferred,{another},\n"
    result = import_history(app, tmp_path, text)
    assert result.stdout == "1 recorded, 0 known, 1 rejected\n"
    assert f"line 3: the ledger has van 1 with {has}; " in result.stderr
    assert levels(app, mug) == before | {"yard": (30, 0)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("NOBODY,received,1,,r,,,", "no product has the SKU NOBODY"),
        ("MUG,received,1,,r,nowhere,,", "there is no location nowhere"),
        ("MUG,shipped,1,,r,,,", "1 of MUG at main asked for, 0 available."),
        ("MUG,received,1,,,,,", "reference: Missing data for required field."),
        ("MUG,adjusted,1,,r,,,", "reason: An adjustment needs a reason."),
        ("MUG,received,many,,r,,,", "quantity: Not a whole number."),
        ("MUG,received,0,,r,,,", "quantity: Nothing is moved."),
        ("MUG,stolen,1,,r,,,", "kind: "),
        ("MUG,received,1,yesterday,r,,,", "occurred_at: "),
        ("MUG,transferred,1,,r,,,", "to_location: "),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(
    app: Flask, mug: UUID, tmp_path: Path, row: str, reason: str
) -> None:
    result = import_history(app, tmp_path, f"{HEADER}\n{row}\nMUG,received,2,,po 2,,,\n")
    assert result.stdout == "1 recorded, 0 known, 1 rejected\n"
    assert f"line 2: {reason}" in result.stderr
    assert levels(app, mug)["main"] == (2, 0)


@pytest.mark.parametrize(
    "bad",
    [
        "MUG,shipped,3 pcs,,order 1,,,",
        "mug,shipped,,, order 1 ,,,",
        "MUG,shipped,3,yesterday,order 1,,,",
        "MUG, shipped,3,,order 1,,,,",
        "MUG,shipped,3,,order 1",
    ],
)
def test_a_row_that_is_mended_does_not_move_the_rows_behind_it(
    app: Flask, mug: UUID, tmp_path: Path, bad: str
) -> None:
    text = f"{HEADER}\nMUG,received,10,,po 1,,,\n{{}}\nMUG,shipped,5,,order 1,,,\n"
    assert told(app, tmp_path, text.format(bad)) == {"recorded": 2, "rejected": 1}
    mended = text.format("MUG,shipped,3,,order 1,,,")
    assert told(app, tmp_path, mended) == {"known": 2, "recorded": 1}
    assert levels(app, mug)["main"] == (2, 0)


def test_rejected_rows_are_kept_for_mending(app: Flask, mug: UUID, tmp_path: Path) -> None:
    rejects = tmp_path / "rejected.csv"
    text = f"{HEADER}\nMUG,adjusted,3,,count 1,,,\n"
    import_history(app, tmp_path, text, "--rejects", str(rejects))
    kept = rejects.read_text()
    columns = HEADER.replace("reference", "reference,ordinal")
    assert kept.splitlines()[0] == f"line,rejection,{columns}"
    mended = kept.replace("count 1,1,,,", "count 1,1,,,found")
    assert told(app, tmp_path, mended) == {"recorded": 1}


SALES = [
    {"sku": "MUG", "kind": "received", "quantity": 3, "reference": "po 1"},
    {"sku": "MUG", "kind": "shipped", "quantity": 2, "reference": "order 1"},
    {"sku": "MUG", "kind": "shipped", "quantity": 2, "reference": "order 1"},
]


@pytest.mark.parametrize("kind", Format)
def test_a_rejected_row_is_not_taken_for_one_like_it_that_was_recorded(
    app: Flask, mug: UUID, tmp_path: Path, kind: Format
) -> None:
    how = ("--format", kind.value)
    rejects = tmp_path / "rejected"
    text = b"".join(write_rows(SALES, kind, list(SALES[0]))).decode()
    counts = told(app, tmp_path, text, *how, "--rejects", str(rejects))
    assert counts == {"recorded": 2, "rejected": 1}
    told(app, tmp_path, f"{HEADER}\nMUG,received,10,,po 2,,,\n")
    assert told(app, tmp_path, rejects.read_text(), *how) == {"recorded": 1}
    assert told(app, tmp_path, rejects.read_text(), *how) == {"known": 1}
    assert told(app, tmp_path, text, *how) == {"known": 3}
    assert levels(app, mug)["main"] == (9, 0)


def test_a_row_that_says_its_ordinal_does_not_move_the_others(
    app: Flask, mug: UUID, tmp_path: Path
) -> None:
    text = f"{HEADER},ordinal\nMUG,received,1,,po 1,,,,\nMUG,received,2,,po 1,,,, \n"
    assert told(app, tmp_path, text) == {"recorded": 2}
    more = text.replace("ordinal\n", "ordinal\nMUG,received,4,,po 1,,,,3\n")
    assert told(app, tmp_path, more) == {"recorded": 1, "known": 2}
    assert levels(app, mug)["main"] == (7, 0)


def test_of_two_rows_with_one_ordinal_the_second_is_rejected(
    app: Flask, mug: UUID, tmp_path: Path
) -> None:
    row = "received,1,,po 1,,,"
    text = f"{HEADER},ordinal\nMUG,{row},1\nmug,{row},\nMUG,{row},2\n"
    result = import_history(app, tmp_path, text)
    assert result.stdout == "2 recorded, 0 known, 1 rejected\n"
    assert "line 3: ordinal 1 of po 1 stands in line 2 already" in result.stderr


@pytest.mark.parametrize("ordinal", ["0", "-1", "1.5", "second", "1000000001"])
def test_an_ordinal_that_is_none_is_refused(
    app: Flask, mug: UUID, tmp_path: Path, ordinal: str
) -> None:
    text = f"{HEADER},ordinal\nMUG,received,1,,po 1,,,,{ordinal}\n"
    result = import_history(app, tmp_path, text)
    assert result.stdout == "0 recorded, 0 known, 1 rejected\n"
    assert "line 2: ordinal: " in result.stderr


def test_a_dry_run_records_nothing(app: Flask, mug: UUID, tmp_path: Path) -> None:
    assert told(app, tmp_path, HISTORY, "--dry-run") == {"recorded": 6, "dry_run": True}
    assert told(app, tmp_path, HISTORY) == {"recorded": 6}


def test_a_dry_run_of_a_long_file_tells_what_the_import_does(
    app: Flask, mug: UUID, tmp_path: Path
) -> None:
    sales = "".join(f"MUG,shipped,1,,order {number},,,\n" for number in range(ROWS_AT_ONCE + 200))
    text = f"{HEADER}\nMUG,received,{ROWS_AT_ONCE + 100},,po 1,,,\n{sales}"
    expected = {"recorded": ROWS_AT_ONCE + 101, "rejected": 100}
    assert told(app, tmp_path, text, "--dry-run") == {**expected, "dry_run": True}
    assert levels(app, mug) == {}
    assert told(app, tmp_path, text) == expected


def test_however_many_documents_a_history_has_they_are_not_in_memory() -> None:
    taker = MovementRows()

    def check(document: int) -> None:
        values = {"sku": "MUG", "kind": "shipped", "quantity": 1, "reference": f"order {document}"}
        taker.check(taker.placed(Row(document, values)))

    check(1)
    tracemalloc.start()
    try:
        for document in range(2, 4000):
            check(document)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 100_000


def test_a_file_without_a_needed_column_is_refused(app: Flask, mug: UUID, tmp_path: Path) -> None:
    result = import_history(app, tmp_path, "sku,kind,quantity\nMUG,received,1\n")
    assert result.exit_code == 1
    assert "lacks the column reference" in result.output

"""``flask stock import``: a shop's history, which can be imported again and again."""

import tracemalloc
from collections import Counter
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from stockroom.transfers.formats import Format, Row
from stockroom.transfers.imports import ROWS_AT_ONCE, import_file
from stockroom.transfers.movement_rows import MovementRows
from tests.api import Api
from tests.factories.products import LOWERED_OTHERWISE_BY_PYTHON, make_product
from tests.factories.stock import assert_books_agree, levels, make_location
from tests.threads import at_once
from tests.transfers.histories import HEADER, HISTORY, import_history, told


@pytest.fixture
def mug(app: Flask) -> UUID:
    make_location(app)
    return make_product(app, sku="MUG").id


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

"""A history that is mended and imported again: nothing is booked twice, and nothing is lost."""

from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from stockroom.transfers.formats import Format
from stockroom.transfers.writing import write_rows
from tests.factories.products import make_product
from tests.factories.stock import levels, make_location
from tests.transfers.histories import HEADER, import_history, told


@pytest.fixture
def mug(app: Flask) -> UUID:
    make_location(app)
    return make_product(app, sku="MUG").id


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

"""Files that are unusable as a whole: refused in one line, before anything is written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.api import Api
from tests.transfers.commands import HEADER, import_text, products, skus

QUOTE = "A quote that opens in the row that begins in line"
CELL = "A cell of the row that begins in line"
NO_SERVER = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \r\n\n", "The file is empty."),
        (b"A,Mug,1\nB,Mug,2\n", "The file has no header line"),
        (b"sku;name;price\nA;Mug;1\n", "The file has no header line"),
        (b"sku,name\nA,Mug\n", "The file lacks the column price."),
        (b"price\n1\n", "The file lacks the column sku and name."),
        (b"sku,name,price,Name\nA,Mug,1,Cup\n", "The file has the column name twice."),
        (b'sku,name,"price"x\nA,Mug,1\n', "The header line cannot be read"),
        (b'"sku,name,price\nA,Mug,1\n', f"{QUOTE} 1 is never closed."),
        (b'sku,name,price\nA,Mug,1\nB,"Mug,1\nC,Mug,1\nD,Mug,1\n', f"{QUOTE} 3 is never closed."),
        (b'sku,name,price\r\nA,"M\r\nug",1\r\nB,Mug,"1', f"{QUOTE} 4 is never closed."),
        (b"sku,name,price\nA,Mug,1\nB,%b,1\n" % (b"x" * 200_000), f"{CELL} 3 is longer"),
        (b'sku,name,price\nA,"%b\nINJ-1,injected,1\n",1\n' % (b"x" * 200_000), f"{CELL} 2 is"),
        (b"sku,name,price\nA,Mug,1\nB,M\xfcg,1\n", "The file is not UTF-8: see line 3."),
        ("sku,name,price\nA,Mug,1\n".encode("utf-16"), "The file is not UTF-8: see line 1."),
        ("sku,name,price\nA,Mug,1\n".encode("utf-16-le"), "The file has no header line"),
    ],
)
def test_a_file_that_is_unusable_as_a_whole_is_refused_in_one_line(
    app: Flask, staff: Api, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "products.csv"
    file.write_bytes(content)
    result = products(app, "import", file)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: file: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert skus(staff) == []


def test_of_a_file_that_is_not_utf8_far_down_nothing_is_written(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    rows = "".join(f"S{number},Mug,1\n" for number in range(1200))
    file.write_bytes(f"{HEADER}\n{rows}".encode() + b"\xff,Mug,1\n")
    assert (
        products(app, "import", file).stderr
        == "Error: file: The file is not UTF-8: see line 1202.\n"
    )
    assert skus(staff) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (0, f"{CELL} 2 is longer than 131,072 characters; perhaps a quote is never closed."),
        (20_000, f"{QUOTE} 20002 is never closed."),
    ],
)
def test_of_a_long_file_with_a_quote_that_is_never_closed_nothing_is_written(
    app: Flask, staff: Api, tmp_path: Path, place: int, reason: str
) -> None:
    file = tmp_path / "products.csv"
    rows = [f"S{number},Mug,1\n" for number in range(20_000)]
    rows.insert(place, 'OPEN,"Mug,1\n')
    file.write_text("".join([f"{HEADER}\n", *rows]))
    assert products(app, "import", file).stderr == f"Error: file: {reason}\n"
    assert skus(staff) == []


def test_a_file_with_a_header_alone_brings_nothing(app: Flask, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER}\n")
    assert result.stdout == "0 created, 0 updated, 0 unchanged, 0 rejected\n"


def test_a_file_that_is_not_there_is_a_usage_error(app: Flask, tmp_path: Path) -> None:
    result = products(app, "import", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_a_database_that_is_away_is_told_in_one_line(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    file.write_text(f"{HEADER}\nA,A,1\n")
    result = products(make_app(database_url=NO_SERVER), "import", file)
    assert result.exit_code == 1
    assert result.stderr == "Error: The database does not answer.\n"

"""Reading CSV and NDJSON row by row: lines, cells, encodings."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from stockroom.transfers.formats import PRODUCTS, Format, Row, format_of
from stockroom.transfers.reading import check_whole, read_rows
from tests.api import Api
from tests.transfers.commands import HEADER, import_rows, import_text, skus

pytestmark = pytest.mark.usefixtures("app_context")


def read(text: str | bytes, kind: Format = Format.CSV) -> list[Row]:
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    check_whole(file, kind)
    return list(read_rows(file, kind, PRODUCTS))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.ndjson", "ndjson"),
        ("a.JSONL", "ndjson"),
        ("a.txt", "csv"),
        ("-", "csv"),
        ("", "csv"),
    ],
)
def test_the_name_of_a_file_tells_its_format(name: str, kind: str) -> None:
    assert format_of(name) == kind


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_file_may_end_its_lines_in_any_way(bom: bytes, end: str) -> None:
    text = end.join([HEADER, "A,Mug,1", "", '"B","Cup, big","2"', ""])
    assert [(row.line, row.values["sku"], row.flaw) for row in read(bom + text.encode())] == [
        (2, "A", ""),
        (4, "B", ""),
    ]


def test_the_columns_may_stand_in_any_order_and_case() -> None:
    row = read("Price, NAME ,Sku\n1,Mug,A\n")[0]
    assert row.values == {"sku": "A", "name": "Mug", "price": "1"}


def test_columns_without_a_name_are_passed_over(app: Flask, staff: Api, tmp_path: Path) -> None:
    result = import_text(app, tmp_path, f"{HEADER},,\nA,Mug,1,x,\n")
    assert (skus(staff), result.stderr) == (["A"], "")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_through_quoted_line_breaks(end: str) -> None:
    text = f'{HEADER}\nA,"two\nlines",1\n\n,,\nB,"three\n\n\nfour",1\nC,Mug,1'
    assert [row.line for row in read(text.replace("\n", end))] == [2, 6, 10]


def test_a_quoted_line_break_is_kept_as_it_is(app: Flask, staff: Api, tmp_path: Path) -> None:
    import_text(app, tmp_path, f'{HEADER},description\nA,Mug,1,"a\r\nb\nc""d"""\n')
    assert staff.get("/products/by-sku/A").get_json()["description"] == 'a\r\nb\nc"d"'


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("A,Mug", "2 cells where the header has 3"),
        ("A,Mug,1,", "4 cells where the header has 3"),
        ("A", "1 cells where the header has 3"),
        ('A,"Mug"x,1', "not CSV: ',' expected after '\"'"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_next_is_read(line: str, flaw: str) -> None:
    rows = read(f"{HEADER}\n{line}\nB,Cup,2\n")
    assert [(row.line, row.flaw) for row in rows] == [(2, flaw), (3, "")]


def test_a_row_that_a_quote_in_the_wrong_place_breaks_names_all_its_lines() -> None:
    rows = read(f'{HEADER}\nA,"Mug,1\nB,Cup,2\nC,"Jug",3\nD,Pot,4\n')
    assert [(row.line, row.flaw) for row in rows] == [
        (2, "not CSV: ',' expected after '\"', in lines 2 to 4"),
        (5, ""),
    ]


DEEP = "[" * 100 + "]" * 100


@pytest.mark.parametrize(
    ("cell", "flaw"),
    [
        ("{", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a": 1e400}', "a number is too large"),
        (f'{{"a": {"9" * 5000}}}', "a number is too large"),
        (f'{{"a": {DEEP}}}', "nested deeper than 32 levels"),
        (f'{{"a": {"[" * 50_000}}}', "nested too deep"),
    ],
)
def test_json_that_cannot_be_stored_is_a_bad_row(
    app: Flask, tmp_path: Path, cell: str, flaw: str
) -> None:
    quoted = cell.replace('"', '""')
    in_csv = import_text(app, tmp_path, f'{HEADER},attributes\nA,Mug,1,"{quoted}"\n')
    assert f"line 2: attributes: {flaw}".replace("32", "31") in in_csv.stderr
    line = f'{{"sku": "A", "name": "Mug", "price": 1, "attributes": {cell}}}'
    in_ndjson = import_text(app, tmp_path, line, kind="ndjson")
    assert f"line 1: {flaw}" in in_ndjson.stderr


@pytest.mark.parametrize("cell", ["[1]", '"text"', "1", "false", '{"a": {"b": "c"}}', '{"a": 1}'])
def test_options_are_texts_by_name_in_a_file_too(app: Flask, tmp_path: Path, cell: str) -> None:
    quoted = cell.replace('"', '""')
    result = import_text(app, tmp_path, f'{HEADER},options\nA,Mug,1,"{quoted}"\n')
    assert "line 2: options" in result.stderr


def test_ndjson_lines_are_counted_through_empty_ones() -> None:
    rows = read('\ufeff\n{"sku": "A"}\n  \n\r\n{"sku": "B"}\r\nx\n[]\n"a"\nnull', Format.NDJSON)
    assert [(row.line, row.flaw) for row in rows] == [
        (2, ""),
        (5, ""),
        (6, "not JSON"),
        (7, "not a JSON object"),
        (8, "not a JSON object"),
        (9, "not a JSON object"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"sku": 10002},
        {"sku": None},
        {"sku": "\ud800"},
        {"name": "\x00"},
        {"price": None},
        {"price": float("nan")},
        {"price": -1},
        {"options": None},
        {"attributes": []},
        {"attributes": {"a": "\x00"}},
        {"status": "sold"},
        {"currency": "eur"},
    ],
)
def test_a_row_that_the_api_would_refuse_is_rejected(
    app: Flask, tmp_path: Path, change: dict[str, Any]
) -> None:
    row = {"sku": "A", "name": "Mug", "price": 1, **change}
    assert import_rows(app, tmp_path, row) == {"rejected": 1}


def test_text_beyond_ascii_survives_both_formats(app: Flask, staff: Api, tmp_path: Path) -> None:
    import_text(app, tmp_path, f"{HEADER}\nÄ,Rosé,1\nß,湯呑み 🫖,1\n")
    import_text(app, tmp_path, json.dumps({"sku": "é", "name": "ñ", "price": 1}), kind="ndjson")
    assert skus(staff) == ["Ä", "ß", "é"]


def test_cells_are_trimmed(app: Flask, staff: Api, tmp_path: Path) -> None:
    import_text(app, tmp_path, f"{HEADER}, currency ,status\n A , Mug , 1 , GBP , draft \n")
    mug = staff.get("/products/by-sku/A").get_json()
    assert (mug["name"], mug["price"], mug["currency"], mug["status"]) == (
        "Mug",
        "1.00",
        "GBP",
        "draft",
    )

"""The file of rejected rows: complete, and ready to be mended and imported."""

import csv
import json
from pathlib import Path

import pytest
from flask import Flask

from stockroom.transfers.files import written_whole
from tests.api import Api
from tests.transfers.commands import HEADER, import_text, products, skus


def kept_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_rejected_row_is_kept_with_its_line_and_reason(app: Flask, tmp_path: Path) -> None:
    kept = tmp_path / "rejected.csv"
    text = f'{HEADER},options\nA,Mug,1,\nB,"two\nlines",1,\nC,,1,"{{""a"":1}}"\nD,Mug\n'
    result = import_text(app, tmp_path, text, "--rejects", kept)
    assert result.stderr == ""
    rows = kept_rows(kept)
    assert [(row["line"], row["sku"], row["name"], row["options"]) for row in rows] == [
        ("3", "B", "two\nlines", ""),
        ("5", "C", "", '{"a":1}'),
        ("6", "D", "Mug", ""),
    ]
    assert [row["reason"].partition(":")[0] for row in rows] == [
        "name",
        "name",
        "2 cells where the header has 4",
    ]


def test_all_rejected_rows_are_kept(app: Flask, tmp_path: Path) -> None:
    kept = tmp_path / "rejected.csv"
    rows = "".join(f"S{number},Mug,\n" for number in range(1200))
    import_text(app, tmp_path, f"{HEADER}\n{rows}", "--rejects", kept)
    assert [int(row["line"]) for row in kept_rows(kept)] == list(range(2, 1202))


def test_mended_rows_are_imported_and_their_place_is_quietly_ignored(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    kept = tmp_path / "rejected.csv"
    import_text(app, tmp_path, f"{HEADER}\nA,Mug,1\nB,Cup,1.505\n", "--rejects", kept)
    kept.write_text(kept.read_text().replace("1.505", "1.5"))
    result = products(app, "import", kept)
    assert (result.stderr, skus(staff)) == ("", ["A", "B"])


def test_rejected_lines_of_ndjson_are_kept_as_ndjson(
    app: Flask, staff: Api, tmp_path: Path
) -> None:
    kept = tmp_path / "rejected.ndjson"
    row = {"sku": "A", "name": "Mug \ud800", "price": 1, "colour": "röt"}
    text = json.dumps(row) + "\nnonsense\n"
    import_text(app, tmp_path, text, "--rejects", kept, kind="ndjson")
    first, second = (json.loads(line) for line in kept.read_text("utf-8").splitlines())
    assert first == {**row, "line": 1, "reason": "name: Holds characters that text cannot have."}
    assert second == {"line": 2, "reason": "not JSON"}
    kept.write_text(json.dumps({**first, "name": "Mug"}))
    assert products(app, "import", kept).stderr == "Ignored columns: colour\n"
    assert skus(staff) == ["A"]


@pytest.mark.parametrize("cell", ["[1]", '["a"]', "0", "false", '{"a":"\\ud800"}', "{nope"])
def test_a_json_cell_is_kept_as_it_was(app: Flask, tmp_path: Path, cell: str) -> None:
    kept = tmp_path / "rejected.csv"
    quoted = cell.replace('"', '""')
    import_text(app, tmp_path, f'{HEADER},options\nA,Mug,1,"{quoted}"\n', "--rejects", kept)
    (row,) = kept_rows(kept)
    assert row["options"] == cell


@pytest.mark.parametrize("name", ["products.csv", "link.csv", "hard.csv"])
def test_a_file_is_never_replaced_by_its_own_rejected_rows(
    app: Flask, staff: Api, tmp_path: Path, name: str
) -> None:
    file, kept = tmp_path / "products.csv", tmp_path / name
    file.write_text(text := f"{HEADER}\nA,Mug,1\nB,Cup,\n")
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "hard.csv").hardlink_to(file)
    result = products(app, "import", file, "--rejects", kept)
    reason = f"Error: {kept}: The rejected rows would replace the file itself.\n"
    assert (result.exit_code, result.stderr) == (1, reason)
    assert (file.read_text(), skus(staff)) == (text, [])


def test_a_file_of_rejected_rows_survives_an_import_that_fails(app: Flask, tmp_path: Path) -> None:
    kept, file = tmp_path / "rejected.csv", tmp_path / "products.csv"
    kept.write_text("precious")
    file.write_bytes(b"\xff")
    assert products(app, "import", file, "--rejects", kept).exit_code == 1
    assert kept.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["products.csv", "rejected.csv"]


def test_a_file_that_cannot_be_written_is_told_in_one_line(app: Flask, tmp_path: Path) -> None:
    file, kept = tmp_path / "products.csv", tmp_path / "none" / "rejected.csv"
    file.write_text(f"{HEADER}\nA,A,1\n")
    result = products(app, "import", file, "--rejects", kept)
    assert (result.exit_code, result.stderr) == (1, f"Error: {kept}: No such file or directory\n")


def test_a_file_keeps_its_permissions_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o640)
    with written_whole(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    link = tmp_path / "link"
    link.symlink_to("file")
    with written_whole(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    with written_whole(Path("/dev/null")) as file:
        file.write(b"new")
    assert Path("/dev/null").is_char_device()

"""A real shop's catalogue, dirty as it is: imported, imported again, searched."""

import csv
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.extensions import db
from tests.api import Api
from tests.transfers.commands import products

CATALOGUE = (
    Path(__file__).resolve().parents[2] / ".." / "shared/data/online-retail/catalogue.csv"
).resolve()

pytestmark = pytest.mark.skipif(not CATALOGUE.exists(), reason=f"there is no {CATALOGUE}")


def written_rows(app: Flask) -> list[tuple[object, ...]]:
    """What every write of a row moves: the transaction that wrote it, its place, its version."""
    statement = text("SELECT id, xmin::text, ctid::text, version, updated_at FROM products")
    with app.app_context(), db.engine.connect() as connection:
        return sorted(map(tuple, connection.execute(statement)))


def test_the_catalogue_is_imported_and_each_bad_row_named(app: Flask, tmp_path: Path) -> None:
    kept = tmp_path / "rejected.csv"
    result = products(app, "import", CATALOGUE, "--rejects", kept)
    assert result.exit_code == 0, result.output
    assert result.stdout == "3,764 created, 0 updated, 0 unchanged, 255 rejected\n"
    assert len(written_rows(app)) == 3764
    _assert_reasons(kept)


def _assert_reasons(kept: Path) -> None:
    """Every rejected row has no price, or the SKU of an accepted row above it in other case."""
    source = CATALOGUE.read_text("utf-8").splitlines()
    with kept.open(encoding="utf-8", newline="") as lines:
        rejected = list(csv.DictReader(lines))
    priceless = [row for row in rejected if "price: Missing" in row["reason"]]
    in_other_case = [row for row in rejected if "differs only in case from" in row["reason"]]
    assert (len(priceless), len(in_other_case), len(rejected)) == (150, 105, 255)
    for row in rejected:
        assert source[int(row["line"]) - 1].startswith(f"{row['sku']},")
    assert {row["price"] for row in priceless} == {""}
    for row in in_other_case:
        earlier, line = row["reason"].split(" from ")[1].split(" in line ")
        assert earlier.lower() == row["sku"].lower()
        assert earlier != row["sku"]
        assert int(line) < int(row["line"])
        assert source[int(line) - 1].startswith(f"{earlier},")


def test_the_same_catalogue_again_writes_no_row(app: Flask) -> None:
    products(app, "import", CATALOGUE)
    before = written_rows(app)
    again = products(app, "import", CATALOGUE)
    assert again.stdout == "0 created, 0 updated, 3,764 unchanged, 255 rejected\n"
    assert written_rows(app) == before


def test_a_search_in_the_catalogue_finds_what_people_mean(app: Flask, nobody: Api) -> None:
    products(app, "import", CATALOGUE)
    found = nobody.get(f"/products?{urlencode({'q': 'heart t-light', 'limit': 5})}").get_json()
    assert "WHITE HANGING HEART T-LIGHT HOLDER" in [item["name"] for item in found["items"]]

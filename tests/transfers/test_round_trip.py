"""Export, wipe, import, export: the same catalogue, byte for byte."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from stockroom.extensions import db
from stockroom.products.batch import upsert
from stockroom.products.schemas import ProductInputSchema
from tests.servers import empty_tables
from tests.transfers.commands import products
from tests.transfers.test_real_catalogue import CATALOGUE

KINDS = ("csv", "ndjson")

# Whatever a file format could trip over, and much that it should not.
TRICKY = st.sampled_from(
    [
        '"',
        '""',
        ",",
        "\n",
        "\r",
        "\r\n",
        "=1+1",
        "'",
        "\\",
        "\\u0000",
        "\t",
        " ",
        ";",
        "-",
        "\ufeff",
    ]
)
TEXT = st.lists(TRICKY | st.text(max_size=5), max_size=8).map("".join)
# Without what no line may hold; most catalogues would else be empty.
LINE = TEXT.map(lambda text: "=" + re.sub("[^ -~\u00a0-\u2027]", "", text) + ".")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PRODUCT = st.fixed_dictionaries(
    {"sku": LINE, "name": LINE, "price": st.integers(0, 10**9)},
    optional={
        "description": TEXT,
        "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
        "family": LINE,
        "options": st.dictionaries(LINE, LINE, max_size=3),
        "attributes": st.dictionaries(TEXT, JSON, max_size=3),
        "status": st.sampled_from(["draft", "active"]),
    },
)


def loaded(candidates: list[dict[str, Any]]) -> list[Any]:
    """What the schema makes of them, one of each SKU, without those that it refuses."""
    by_sku: dict[str, Any] = {}
    for candidate in candidates:
        try:
            fields = ProductInputSchema().load(candidate)
        except ValidationError:
            continue
        by_sku.setdefault(fields["sku"].lower(), fields)
    return list(by_sku.values())


@contextmanager
def wiped(app: Flask) -> Iterator[Path]:
    """A folder for files; the tables are emptied on the way out."""
    try:
        with TemporaryDirectory() as folder:
            yield Path(folder)
    finally:
        with app.app_context():
            empty_tables(db.engine)


def assert_survives(app: Flask, folder: Path, kind: str) -> None:
    first, second = folder / f"first.{kind}", folder / f"second.{kind}"
    assert products(app, "export", "-o", first).exit_code == 0
    amount = len(products(app, "export", "--format", "ndjson").stdout_bytes.splitlines())
    unchanged = products(app, "import", first, "--json")
    assert json.loads(unchanged.stdout)["unchanged"] == amount, unchanged.output
    with app.app_context():
        empty_tables(db.engine)
    created = products(app, "import", first, "--json")
    assert json.loads(created.stdout)["created"] == amount, created.output
    assert products(app, "export", "-o", second).exit_code == 0
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(candidates=st.lists(PRODUCT, min_size=1, max_size=5))
def test_any_catalogue_survives_its_export(
    app: Flask, kind: str, candidates: list[dict[str, Any]]
) -> None:
    assume(rows := loaded(candidates))
    with wiped(app) as folder:
        with app.app_context():
            upsert(rows)
        assert_survives(app, folder, kind)


@pytest.mark.parametrize("kind", ["csv", pytest.param("ndjson", marks=pytest.mark.heavy)])
@pytest.mark.skipif(not CATALOGUE.exists(), reason=f"there is no {CATALOGUE}")
def test_a_real_catalogue_survives_its_export(app: Flask, kind: str) -> None:
    with wiped(app) as folder:
        products(app, "import", CATALOGUE)
        assert_survives(app, folder, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_catalogue_survives_as_a_csv_and_is_refused_as_an_empty_file(
    app: Flask, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"first.{kind}"
    products(app, "export", "-o", file)
    assert products(app, "import", file).exit_code == (0 if kind == "csv" else 1)

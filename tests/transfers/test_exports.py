"""Exports: the command, and the route that streams."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.transfers.formats import PRODUCTS
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.transfers.commands import products

MUG: dict[str, Any] = {
    "sku": "MUG",
    "name": 'Mug, "big"',
    "description": "a\nb",
    "price": "1.50",
    "currency": "GBP",
    "family": None,
    "options": {"größe": "L"},
    "attributes": {"a": [1, None]},
    "status": "draft",
    "stock": 7,
    "low_stock_threshold": 2,
}


def test_a_csv_export_has_a_line_for_each_product_by_sku(app: Flask) -> None:
    for sku in ("b", "A", "ä", "C"):
        make_product(app, sku=sku)
    make_product(app, sku="gone", status="archived")
    rows = list(csv.DictReader(io.StringIO(products(app, "export").stdout, newline="")))
    assert [row["sku"] for row in rows] == ["A", "b", "C", "ä"]
    assert tuple(rows[0]) == PRODUCTS.columns


def test_a_csv_cell_of_an_object_holds_json(app: Flask) -> None:
    make_product(app, **MUG)
    (row,) = csv.DictReader(io.StringIO(products(app, "export").stdout, newline=""))
    assert row == {
        **MUG,
        "family": "",
        "options": '{"größe":"L"}',
        "attributes": '{"a":[1,null]}',
        "stock": "7",
        "low_stock_threshold": "2",
    }


def test_an_ndjson_export_has_an_object_for_each_product(app: Flask) -> None:
    make_product(app, **MUG)
    assert json.loads(products(app, "export", "--format", "ndjson").stdout) == MUG


def test_an_empty_catalogue_is_a_header_or_nothing(app: Flask) -> None:
    assert products(app, "export").stdout == ",".join(PRODUCTS.columns) + "\n"
    assert products(app, "export", "--format", "ndjson").stdout == ""


@pytest.mark.parametrize("name", ["products.csv", "products.ndjson"])
def test_an_export_to_a_file_takes_the_format_of_its_name(
    app: Flask, tmp_path: Path, name: str
) -> None:
    make_product(app, **MUG)
    file = tmp_path / name
    result = products(app, "export", "-o", file)
    assert (result.exit_code, result.output) == (0, "")
    kind = file.suffix.removeprefix(".")
    assert file.read_bytes() == products(app, "export", "--format", kind).stdout_bytes


def test_an_export_that_breaks_off_leaves_no_part_of_a_file(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text("of yesterday")
    make_product(app, sku="A")
    make_product(app, sku="B")
    # The database takes a currency that no code of this application would give it.
    execute(app, "UPDATE products SET currency = 'XTS' WHERE sku = 'B'")
    assert products(app, "export", "-o", file).exit_code == 1
    assert file.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [file]


def test_an_export_into_no_folder_is_told_in_one_line(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "none" / "products.csv"
    result = products(app, "export", "-o", file)
    assert (result.exit_code, result.stderr) == (1, f"Error: {file}: No such file or directory\n")


@pytest.mark.parametrize(
    ("query", "kind", "media_type"),
    [
        ("", "csv", "text/csv"),
        ("?format=csv", "csv", "text/csv"),
        ("?format=ndjson", "ndjson", "application/x-ndjson"),
    ],
)
def test_the_route_streams_what_the_command_writes(
    app: Flask, staff: Api, query: str, kind: str, media_type: str
) -> None:
    for _ in range(3):
        make_product(app)
    response = staff.get(f"/products/export{query}")
    assert response.status_code == 200
    assert response.mimetype == media_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="products.{kind}"'
    assert response.is_streamed
    assert "Content-Length" not in response.headers
    assert response.data == products(app, "export", "--format", kind).stdout_bytes


def test_only_staff_may_export(nobody: Api, customer: Api, staff: Api, admin: Api) -> None:
    assert_problem(nobody.get("/products/export"), 401, "unauthenticated")
    assert_problem(customer.get("/products/export"), 403, "permission-denied")
    assert admin.get("/products/export").status_code == 200


@pytest.mark.parametrize("query", ["format=xlsx", "format=", "format=CSV", "colour=red"])
def test_an_export_of_an_unknown_kind_is_refused(staff: Api, query: str) -> None:
    assert_problem(staff.get(f"/products/export?{query}"), 422, "validation-error")


def test_an_error_before_the_first_byte_is_a_problem(app: Flask, staff: Api) -> None:
    execute(app, "ALTER TABLE products RENAME TO hidden")
    try:
        assert_problem(staff.get("/products/export"), 500, "internal-error")
    finally:
        execute(app, "ALTER TABLE hidden RENAME TO products")


def test_a_stream_that_nobody_reads_gives_its_connection_back(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    shop = Api(make_app(database_pool_size=2), token_for(app, make_user(app, role=Role.STAFF)))
    for _ in range(4):
        assert shop.request("HEAD", "/products/export").status_code == 200
    for _ in range(4):
        shop.get("/products/export", buffered=False).close()
    assert shop.get("/products/export").status_code == 200


def test_an_export_shows_one_moment(app: Flask, staff: Api) -> None:
    for number in range(1200):
        make_product(app, sku=f"S{number:04}", price=1)
    response = staff.get("/products/export", buffered=False)
    chunks = iter(response.response)
    first = next(chunks)
    for sku in ("S0000", "S1199"):
        product = staff.get(f"/products/by-sku/{sku}").get_json()
        staff.patch(f"/products/{product['id']}", json={"price": 2}, if_match="*")
    rows = csv.DictReader(io.StringIO(b"".join([first, *chunks]).decode()))  # type: ignore[list-item]
    assert {row["price"] for row in rows} == {"1.00"}


def execute(app: Flask, statement: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement))

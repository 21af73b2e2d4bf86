"""Imports beside other imports and other writers."""

import io
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from stockroom.core.transaction import transaction
from stockroom.products.batch import Outcome, Result, upsert
from stockroom.products.models import Product
from stockroom.products.schemas import ProductInputSchema
from stockroom.products.service import with_defaults
from stockroom.transfers.formats import Format
from stockroom.transfers.imports import import_file
from stockroom.transfers.product_rows import ProductRows
from tests.api import Api
from tests.factories.products import make_product
from tests.locks import waiting
from tests.threads import PATIENCE_SECONDS, at_once, until
from tests.transfers.commands import skus

AMOUNT = 1200


def rows(**fields: Any) -> list[dict[str, Any]]:
    return [{"sku": f"S{n:04}", "name": f"Mug {n}", "price": 1, **fields} for n in range(AMOUNT)]


def import_into(app: Flask, content: list[dict[str, Any]]) -> Counter[Result]:
    file = io.BytesIO("\n".join(map(json.dumps, content)).encode())
    with app.app_context():
        return import_file(file, Format.NDJSON, ProductRows("tests")).counts


def bring_in(app: Flask, *content: dict[str, Any]) -> list[Outcome]:
    with app.app_context():
        return upsert([ProductInputSchema().load(row) for row in content])


def test_of_two_imports_of_one_file_at_once_each_product_is_there_once(
    app: Flask, staff: Api
) -> None:
    counts = at_once(lambda content: import_into(app, content), [rows(), rows()])
    assert skus(staff) == [row["sku"] for row in rows()]
    assert sum(counts, Counter()) == {Result.CREATED: AMOUNT, Result.UNCHANGED: AMOUNT}


def test_two_imports_in_opposite_order_do_not_block_each_other(app: Flask, staff: Api) -> None:
    first, middle, last = ({"sku": sku, "name": "Mug", "price": 1} for sku in "ABC")
    with ThreadPoolExecutor(2) as pool:
        with app.app_context(), transaction() as session:
            session.add(Product(**with_defaults(ProductInputSchema().load(middle))))
            session.flush()
            # Each gets as far as the product in the middle, which this transaction holds.
            forwards = pool.submit(bring_in, app, first, middle, last)
            backwards = pool.submit(bring_in, app, last, middle, first)
            until(lambda: waiting() == 2)
        outcomes = forwards.result(PATIENCE_SECONDS) + backwards.result(PATIENCE_SECONDS)
    assert Counter(outcome.result for outcome in outcomes) == {
        Result.CREATED: 2,
        Result.UNCHANGED: 4,
    }
    assert skus(staff) == ["A", "B", "C"]


def test_two_imports_that_change_the_same_products_both_succeed(app: Flask, staff: Api) -> None:
    import_into(app, rows())
    counts = at_once(lambda content: import_into(app, content), [rows(price=2), rows(price=3)])
    assert [count[Result.UPDATED] for count in counts] == [AMOUNT, AMOUNT]
    assert staff.get("/products/by-sku/S0000").get_json()["price"] in {"2.00", "3.00"}


@pytest.mark.parametrize(
    ("meanwhile", "result"),
    [
        ({"status": "archived"}, Result.CREATED),
        ({"sku": "OTHER"}, Result.CREATED),
        ({"price": 2}, Result.UNCHANGED),
        ({"name": "Cup"}, Result.UPDATED),
    ],
)
def test_a_row_meets_its_product_as_another_writer_leaves_it(
    app: Flask, staff: Api, meanwhile: dict[str, Any], result: Result
) -> None:
    product = make_product(app, sku="MUG", name="Mug", price=1)
    row = {"sku": "MUG", "name": "Mug", "price": 2}
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            held = session.get_one(Product, product.id, with_for_update=True)
            for name, value in ProductInputSchema(partial=True).load(meanwhile).items():
                setattr(held, name, value)
            session.flush()
            importing = pool.submit(bring_in, app, row)
            until(waiting)
        outcomes = importing.result(PATIENCE_SECONDS)
    assert [outcome.result for outcome in outcomes] == [result]
    found = staff.get("/products/by-sku/MUG").get_json()
    assert (found["name"], found["price"], found["status"]) == ("Mug", "2.00", "active")


def test_a_row_whose_sku_is_created_meanwhile_finds_that_product(app: Flask, staff: Api) -> None:
    row = {"sku": "MUG", "name": "Mug", "price": 2}
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            session.add(Product(**with_defaults(ProductInputSchema().load({**row, "price": 1}))))
            session.flush()
            importing = pool.submit(bring_in, app, row)
            until(waiting)
        assert importing.result(PATIENCE_SECONDS) == [Outcome(Result.UPDATED)]
    assert staff.get("/products/by-sku/MUG").get_json()["price"] == "2.00"


@pytest.mark.parametrize("writers", [8])
def test_an_import_and_archivings_at_once_lose_nothing(
    app: Flask, staff: Api, writers: int
) -> None:
    import_into(app, rows())
    doomed = [staff.get(f"/products/by-sku/S{n:04}").get_json()["id"] for n in range(writers)]

    def archive(product_id: str) -> None:
        assert staff.delete(f"/products/{product_id}", if_match="*").status_code == 204

    acts: list[Callable[[], Any]] = [lambda: import_into(app, rows(price=2))]
    acts += [lambda product_id=product_id: archive(product_id) for product_id in doomed]
    counts, *_ = at_once(lambda act: act(), acts)
    assert counts.total() == AMOUNT
    archived = staff.get("/products?status=archived&count=true").get_json()["total"]
    assert archived == writers
    # Each was archived before the import met it, and made anew, or after, and is gone.
    assert len(skus(staff)) == AMOUNT - writers + counts[Result.CREATED]

"""Rows of the catalogue: each makes or changes a product, and says how many pieces there are."""

from collections.abc import Sequence

from marshmallow import EXCLUDE

from stockroom.core.transaction import retried, transaction
from stockroom.products.batch import Outcome, Result, upsert
from stockroom.products.models import ProductStatus
from stockroom.products.schemas import NewProductSchema
from stockroom.products.service import ProductFields
from stockroom.stock.counting import count
from stockroom.transfers.formats import PRODUCTS, Row
from stockroom.transfers.imports import BadRow, load_row
from stockroom.transfers.ordinary import OrdinaryRows
from stockroom.transfers.seen import SeenSkus


class ProductRow(ProductFields, total=False):
    """A product, and how many pieces there are of it: an absolute count, at all locations."""

    stock: int


class ProductRows:
    """Takes rows of products by their SKU, which may stand in the file once.

    :param reference: what the ledger calls the counting.
    :param dry_run: tell what would happen, and write nothing.
    """

    layout = PRODUCTS

    def __init__(self, reference: str, *, dry_run: bool = False) -> None:
        self._reference = reference
        self._dry_run = dry_run
        self._schema = OrdinaryRows(NewProductSchema(unknown=EXCLUDE))
        self._seen = SeenSkus()

    def placed(self, row: Row) -> Row:
        """The row as it is: the SKU is all that it is known by."""
        return row

    def check(self, row: Row) -> ProductRow:
        fields: ProductRow = load_row(self._schema, row)
        sku = fields["sku"]
        earlier, line = self._seen.add(sku, row.line)
        if earlier != sku:
            raise BadRow(f"SKU {sku} differs only in case from {earlier} in line {line}")
        if line != row.line:
            raise BadRow(f"SKU {sku} stands in line {line} already")
        return fields

    def take(self, rows: Sequence[ProductRow]) -> list[Outcome]:
        """Products and their counts in one transaction; a row is taken whole, or not at all."""
        rejected: dict[str, Outcome] = {}
        while True:
            left = [row for row in rows if row["sku"] not in rejected]
            try:
                outcomes = self._write(left)
            except _CountsRefused as refused:
                rejected |= refused.outcomes
            else:
                by_sku = rejected | outcomes
                return [by_sku[row["sku"]] for row in rows]

    @retried
    def _write(self, rows: Sequence[ProductRow]) -> dict[str, Outcome]:
        """:raises _CountsRefused: if a count cannot be; then nothing is written."""
        counts = {row["sku"]: row["stock"] for row in rows if _is_counted(row)}
        with transaction(dry_run=self._dry_run):
            products = [_without_stock(row) for row in rows]
            found = zip(products, upsert(products), strict=True)
            outcomes = {row["sku"]: outcome for row, outcome in found}
            _count(counts, outcomes, self._reference)
        return outcomes


class _CountsRefused(Exception):
    def __init__(self, reasons: dict[str, str]) -> None:
        self.outcomes = {sku: Outcome(Result.REJECTED, why) for sku, why in reasons.items()}
        super().__init__(reasons)


def _count(counts: dict[str, int], outcomes: dict[str, Outcome], reference: str) -> None:
    """Book the counts of the rows that were taken; what was unchanged without them is updated."""
    taken = {
        sku: pieces for sku, pieces in counts.items() if outcomes[sku].result is not Result.REJECTED
    }
    if not taken:
        return
    new = {sku for sku in taken if outcomes[sku].result is Result.CREATED}
    counted = count(taken, reference, new)
    if counted.refused:
        raise _CountsRefused(counted.refused)
    for sku in counted.changed - new:
        outcomes[sku] = Outcome(Result.UPDATED)


def _is_counted(row: ProductRow) -> bool:
    """Whether there is a count in it, and a product for it when the row is taken."""
    return "stock" in row and row.get("status") is not ProductStatus.ARCHIVED


def _without_stock(row: ProductRow) -> ProductFields:
    fields = dict(row)
    fields.pop("stock", None)
    return fields  # type: ignore[return-value]

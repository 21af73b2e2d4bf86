"""Writing the catalogue to a file that can be imported again."""

from collections.abc import Iterator
from typing import Any

from stockroom.core.transaction import snapshot
from stockroom.products.models import Product
from stockroom.products.money import format_price
from stockroom.transfers import repository
from stockroom.transfers.formats import PRODUCTS, Format
from stockroom.transfers.writing import write_rows

ROWS_AT_ONCE = 500


def export_products(kind: Format) -> Iterator[bytes]:
    """All products that are not archived, by SKU, as lines of a file.

    They are read as the lines are consumed, and all of one moment.
    """
    with snapshot() as session:
        products = repository.stream_for_export(session, ROWS_AT_ONCE)
        rows = (_row(product, on_hand) for product, on_hand in products)
        yield from write_rows(rows, kind, PRODUCTS.columns)


def _row(product: Product, on_hand: int) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "price": format_price(product.price, product.currency),
        "currency": product.currency,
        "family": product.family,
        "options": product.options,
        "attributes": product.attributes,
        "status": product.status.value,
        "stock": on_hand,
        "low_stock_threshold": product.low_stock_threshold,
    }

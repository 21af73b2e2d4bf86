"""Every query of the exports."""

from collections.abc import Iterator

from sqlalchemy import collate, func, select
from sqlalchemy.orm import Session

from stockroom.products.conditions import NOT_ARCHIVED
from stockroom.products.models import Product
from stockroom.stock.repository.products import on_hand


def stream_for_export(session: Session, rows_at_once: int) -> Iterator[tuple[Product, int]]:
    """All products that are not archived, by SKU, each with the pieces on hand; asked for now, and
    read as they are consumed.
    """
    statement = (
        select(Product, on_hand())
        .where(NOT_ARCHIVED)
        .order_by(collate(func.lower(Product.sku), "C"), Product.id)
        .execution_options(yield_per=rows_at_once)
    )
    return ((product, on_hand) for product, on_hand in session.execute(statement))

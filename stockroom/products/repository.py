"""Every query on the catalogue, but those that bring in many products (``staging``)."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, with_expression

from stockroom.core import batch
from stockroom.core.database import row_of, table_of
from stockroom.products.conditions import NOT_ARCHIVED, has_sku, matching, names_of
from stockroom.products.filters import ProductFilters
from stockroom.products.models import Product
from stockroom.products.stocking import stocking

_INSERT = insert(table_of(Product))


def with_available() -> Any:
    """The option that has a statement tell how many pieces of each product are available."""
    return with_expression(Product.available, stocking().available())


def get(session: Session, product_id: UUID, *, lock: bool = False) -> Product | None:
    # Rows that refer to the product can be written meanwhile: its key does not change.
    for_update = {"key_share": True} if lock else None
    return session.get(Product, product_id, options=[with_available()], with_for_update=for_update)


def find_by_sku(session: Session, sku: str) -> Product | None:
    """The product with this SKU, in any case, that is not archived."""
    return session.scalar(
        select(Product).options(with_available()).where(has_sku(), NOT_ARCHIVED),
        {"sku": sku},
    )


def add(session: Session, product: Product) -> None:
    batch.leave(session, _INSERT, row_of(product))


def found_by(filters: ProductFilters, *, to_staff: bool) -> Select[tuple[Product]]:
    """Products that meet every filter, whose values are parameters (``conditions``)."""
    conditions = matching(names_of(filters), to_staff=to_staff)
    return select(Product).options(with_available()).where(*conditions)


def is_empty(session: Session) -> bool:
    return not session.scalar(select(exists().where(Product.id.is_not(None))))

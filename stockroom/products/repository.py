"""Every query on the catalogue, but those that bring in many products (``staging``)."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, with_expression

from stockroom.core.context import belongings
from stockroom.core.database import row_of, table_of
from stockroom.core.sql import batch
from stockroom.products.conditions import NOT_ARCHIVED, has_sku, matching, names_of
from stockroom.products.filters import ProductFilters
from stockroom.products.models import Product
from stockroom.products.stocking import stocking

_INSERT = insert(table_of(Product))
_KEY = "stockroom.products.statements"


def with_available() -> Any:
    """The option that has a statement tell how many pieces of each product are available."""
    return _statements().with_available


def get(session: Session, product_id: UUID, *, lock: bool = False) -> Product | None:
    """The product; with ``lock`` as it is now, and nobody else can change it meanwhile."""
    statements = _statements()
    statement = statements.by_id_locked if lock else statements.by_id
    return session.scalar(statement, {"product_id": product_id})


def find_by_sku(session: Session, sku: str) -> Product | None:
    """The product with this SKU, in any case, that is not archived."""
    return session.scalar(_statements().by_sku, {"sku": sku})


def add(session: Session, product: Product) -> None:
    batch.leave(session, _INSERT, row_of(product))


def found_by(filters: ProductFilters, *, to_staff: bool) -> Select[tuple[Product]]:
    """Products that meet every filter, whose values are parameters (``conditions``)."""
    conditions = matching(names_of(filters), to_staff=to_staff)
    return select(Product).options(with_available()).where(*conditions)


def is_empty(session: Session) -> bool:
    return not session.scalar(select(exists().where(Product.id.is_not(None))))


class _Statements(NamedTuple):
    """What is asked of one product, with what is available of it."""

    with_available: Any
    by_id: Select[tuple[Product]]
    by_id_locked: Select[tuple[Product]]
    by_sku: Select[tuple[Product]]


def _statements() -> _Statements:
    """Those of the application, made once.

    To make out what is available takes SQLAlchemy longer than PostgreSQL.
    """
    made: _Statements | None = belongings().get(_KEY)
    if made is None:
        made = belongings()[_KEY] = _made()
    return made


def _made() -> _Statements:
    with_available = with_expression(Product.available, stocking().available())
    products = select(Product).options(with_available)
    by_id = products.where(Product.id == bindparam("product_id"))
    # Rows that refer to the product can be written meanwhile: its key does not change.
    locked = by_id.with_for_update(key_share=True).execution_options(populate_existing=True)
    return _Statements(with_available, by_id, locked, products.where(has_sku(), NOT_ARCHIVED))

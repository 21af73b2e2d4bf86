"""Every query on the catalogue, and its set-based writes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, exists, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, with_expression

from stockroom.core import batch
from stockroom.core.database import now, row_of, table_of
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


def find_by_skus(session: Session, skus: Sequence[str]) -> Sequence[Product]:
    """Products that are not archived and have one of these SKUs, in any case."""
    wanted = select(func.lower(func.unnest(cast(list(skus), ARRAY(Text)))))
    return session.scalars(
        select(Product).where(func.lower(Product.sku).in_(wanted), NOT_ARCHIVED)
    ).all()


def lock_all(session: Session, product_ids: Sequence[UUID]) -> None:
    """Read these rows anew; they stay as they are until the transaction ends."""
    # In key order: two imports that share products would otherwise deadlock.
    statement = select(Product).where(Product.id.in_(product_ids)).order_by(Product.id)
    locking = statement.with_for_update(key_share=True)
    session.scalars(locking.execution_options(populate_existing=True)).all()


def insert_unless_taken(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert products, each with its id, in one statement; returns the SKUs that were free."""
    moment = now()
    values = [{"version": 1, "created_at": moment, "updated_at": moment, **row} for row in rows]
    # In the order of their SKUs: two imports that share new products would otherwise deadlock.
    values.sort(key=lambda row: row["sku"].lower())
    statement = (
        insert(Product)
        .on_conflict_do_nothing(
            index_elements=[func.lower(text("sku"))],
            index_where=text("status <> 'archived'"),
        )
        .returning(Product.sku)
    )
    return set(session.scalars(statement, values))

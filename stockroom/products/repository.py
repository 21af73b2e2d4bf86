"""Every query on the catalogue, and its set-based writes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    cast,
    exists,
    func,
    not_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, REAL, insert
from sqlalchemy.orm import Session, with_expression

from stockroom.core.database import now
from stockroom.core.pagination import Keyset
from stockroom.products.filters import RELEVANCE, ProductFilters
from stockroom.products.models import Product, ProductStatus
from stockroom.products.stocking import stocking

NOT_ARCHIVED = Product.status != ProductStatus.ARCHIVED
RANK_WEIGHTS = [0, 0.2, 0.6, 1]
"""Of D (words as written), C (description), B (name) and A (SKU)."""


_CONDITIONS: dict[str, Any] = {
    "q": lambda q: Product.search.op("@@")(_text_query(q)),
    "sku": lambda sku: func.lower(Product.sku) == func.lower(sku),
    "family": lambda family: Product.family == family,
    "currency": lambda currency: Product.currency == currency,
    "price_min": lambda price: Product.price >= price,
    "price_max": lambda price: Product.price <= price,
    "in_stock": lambda wanted: _is_in_stock() if wanted else not_(_is_in_stock()),
    "updated_since": lambda moment: Product.updated_at >= moment,
}


def _is_in_stock() -> ColumnElement[bool]:
    return stocking().available() > 0


def visible(*, to_staff: bool) -> ColumnElement[bool]:
    return Product.id.is_not(None) if to_staff else Product.status == ProductStatus.ACTIVE


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
        select(Product)
        .options(with_available())
        .where(func.lower(Product.sku) == func.lower(sku), NOT_ARCHIVED)
    )


def matching(filters: ProductFilters, *, to_staff: bool) -> Select[tuple[Product]]:
    """Products that fit every filter; without one on the status, none that is archived."""
    status = filters.get("status")
    conditions = [_CONDITIONS[name](value) for name, value in filters.items() if name != "status"]
    conditions.append(NOT_ARCHIVED if status is None else Product.status == status)
    return select(Product).options(with_available()).where(visible(to_staff=to_staff), *conditions)


def keyset(sort: str, q: str | None) -> Keyset:
    """The order that ``sort`` names; a leading minus turns it around."""
    if sort == RELEVANCE:
        return Keyset(sort, _rank(q or ""), Product.id, descending=True, parse=float)
    column, parse = _SORTS[sort.removeprefix("-")]
    return Keyset(sort, column, Product.id, descending=sort.startswith("-"), parse=parse)


_SORTS: dict[str, tuple[Any, Any]] = {
    "created_at": (None, str),
    "updated_at": (Product.updated_at, datetime.fromisoformat),
    "name": (Product.name, str),
    "price": (Product.price, Decimal),
    "sku": (Product.sku, str),
}


def _text_query(q: str) -> ColumnElement[Any]:
    """All words of ``q``, by their English stems; the last one also as the start of a word."""
    *words, last = q.split() or [""]
    quoted = last.replace("\\", "\\\\").replace("'", "''")
    prefix = func.to_tsquery("simple", f"'{quoted}':*")
    last_word = prefix.op("||")(func.plainto_tsquery("english", last))
    return func.plainto_tsquery("english", " ".join(words)).op("&&")(last_word)


def _rank(q: str) -> ColumnElement[float]:
    """How well a product answers ``q``: the words as one phrase first, then close together."""
    phrase = Product.search.op("@@")(func.phraseto_tsquery("english", q))
    closeness = func.ts_rank_cd(cast(RANK_WEIGHTS, ARRAY(REAL)), Product.search, _text_query(q))
    # In double precision the value survives its way through the cursor unchanged.
    return cast(closeness, DOUBLE_PRECISION) + cast(cast(phrase, Integer), DOUBLE_PRECISION)


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

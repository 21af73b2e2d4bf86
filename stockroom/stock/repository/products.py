"""Products, as far as the stock has to know them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    any_,
    bindparam,
    case,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from stockroom.core.database import table_of
from stockroom.core.pagination import Keyset
from stockroom.products.models import Product, ProductStatus
from stockroom.stock.models import Level, ReservationLine
from stockroom.stock.repository.expressions import IDS, total
from stockroom.stock.repository.reservations import is_any_overdue, overdue_lines
from stockroom.stock.values import Item

BY_SKU = Keyset("sku", Product.sku.expression, Product.id)

# What every sale sends: written once, and on tables, which costs less than on mapped classes.
_PRODUCTS = table_of(Product).c
_FACTS = select(_PRODUCTS.id, _PRODUCTS.sku, _PRODUCTS.status, _PRODUCTS.low_stock_threshold)
_BY_ID = _FACTS.where(_PRODUCTS.id == any_(IDS))
_ASKED = (
    func.unnest(bindparam("skus", type_=ARRAY(String)))
    .table_valued(column("sku", String()))
    .render_derived(name="asked")
    .c
)
# PostgreSQL lowers both: Python has other small letters for some, such as a Σ at the end.
_BY_SKU = _FACTS.add_columns(_ASKED.sku).where(
    func.lower(_PRODUCTS.sku) == func.lower(_ASKED.sku),
    _PRODUCTS.status != ProductStatus.ARCHIVED,
)


def find(session: Session, ids: Collection[UUID]) -> Sequence[Item]:
    """Products that have one of these ids."""
    if not ids:
        return []
    return [Item._make(row) for row in session.execute(_BY_ID, {"ids": list(ids)})]


def by_sku(session: Session, skus: Collection[str]) -> Mapping[str, Item]:
    """By the SKU that was asked for, the products that have it, in any case, and are not
    archived.
    """
    if not skus:
        return {}
    rows = session.execute(_BY_SKU, {"skus": list(skus)})
    return {asked: Item._make(facts) for *facts, asked in rows}


def on_hand() -> ColumnElement[int]:
    """Pieces of the product that a statement is about, at all locations."""
    return total(select(func.sum(Level.on_hand)).where(Level.product_id == Product.id))


def available(product: Any = Product) -> ColumnElement[int]:
    """Of these the ones that are promised to nobody; what is overdue counts as given back.

    :param product: ``Product``, or an alias of it in the statement around this.
    """
    free = func.sum(Level.on_hand - Level.reserved)
    unpromised = select(free).where(Level.product_id == product.id)
    overdue = overdue_lines(func.sum(ReservationLine.quantity)).where(
        ReservationLine.product_id == product.id
    )
    # Nothing is overdue for long: whether anything is at all is asked once, not for each product.
    given_back = case((is_any_overdue(), total(overdue.correlate(product))), else_=0)
    return total(unpromised.correlate(product)) + given_back


def low(default_threshold: int) -> Select[tuple[Product]]:
    """Products that the stock knows, with as few pieces available as their threshold or fewer."""
    threshold = func.coalesce(Product.low_stock_threshold, default_threshold)
    is_stocked = select(Level.product_id).where(Level.product_id == Product.id).exists()
    return select(Product).where(
        Product.status != ProductStatus.ARCHIVED, is_stocked, available() <= threshold
    )

"""A table of rows to be brought in, for one transaction, and the statements that weigh it against
the catalogue.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Select,
    String,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array, insert
from sqlalchemy.orm import Session

from stockroom.core.database import now, table_of
from stockroom.core.sql.copying import staged
from stockroom.products.models import Product, ProductStatus

FIELDS = (
    "sku",
    "name",
    "description",
    "price",
    "currency",
    "family",
    "options",
    "attributes",
    "status",
    "low_stock_threshold",
)
"""The columns that a row can set."""

_PRODUCTS = table_of(Product)
_STAGED = Table(
    "staged_products",
    MetaData(),
    Column("id", Uuid()),
    *(Column(name, String() if name == "status" else _PRODUCTS.c[name].type) for name in FIELDS),
    Column("named", ARRAY(Text)),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


class Match(NamedTuple):
    """A row and the product that has its SKU, in any case.

    :ivar row_id: the id that the row would have as a new product.
    :ivar changed: the fields that have another value in the row.
    """

    row_id: UUID
    id: UUID
    sku: str
    name: str
    price: Decimal
    currency: str
    status: ProductStatus
    version: int
    changed: Sequence[str]


def stage(
    session: Session, whole: Mapping[UUID, Mapping[str, Any]], rows: Mapping[UUID, Collection[str]]
) -> AbstractContextManager[None]:
    """Have rows at hand in the database.

    :param whole: the values of each, by the id that it would have as a new product.
    :param rows: the names of those that each sets on a product that is there already.
    """
    cells = (
        (row_id, *map(values.__getitem__, FIELDS), f"{{{','.join(rows[row_id])}}}")
        for row_id, values in whole.items()
    )
    return staged(session, _STAGED, ("id", *FIELDS, "named"), cells)


def matches(session: Session) -> list[Match]:
    """The rows whose SKU a product has that is not archived."""
    return [Match._make(row) for row in session.execute(_MATCHES)]


def lock_matches(session: Session, product_ids: Collection[UUID]) -> list[Match]:
    """Those of these products, read anew; they stay as they are until the transaction ends.

    Whoever held one before may have archived it, or given it another SKU: it is no match then.
    """
    rows = session.execute(_LOCK_MATCHES, {"ids": list(product_ids)})
    return [Match._make(row) for row in rows]


def update_products(session: Session, product_ids: Collection[UUID]) -> None:
    """Set on these products what the rows with exactly their SKUs name."""
    session.execute(_UPDATE, {"ids": list(product_ids), "moment": now()})


def insert_products(session: Session, row_ids: Collection[UUID]) -> set[UUID]:
    """Make products of these rows, unless their SKU is taken; returns the ids of those made."""
    ids = list(row_ids)
    made: Any = session.execute(_INSERT, {"ids": ids, "moment": now()})
    # To have each id told back would take longer than to send the rows.
    if made.rowcount == len(ids):
        return set(ids)
    return set(session.scalars(_THERE, {"ids": ids}))


def _is_named(name: str) -> ColumnElement[bool]:
    return literal(name) == any_(_STAGED.c.named)


def _changed() -> ColumnElement[Sequence[str]]:
    """The names of the fields that differ; JSON is compared as JSON, where 1 is 1.0."""
    differing = [
        case((_is_named(name) & _STAGED.c[name].is_distinct_from(_PRODUCTS.c[name]), name))
        for name in FIELDS
    ]
    return func.array_remove(array(differing), None, type_=ARRAY(Text))


def _matching() -> Select[Any]:
    """Rows and the products that have their SKUs."""
    told = ("id", "sku", "name", "price", "currency", "status", "version")
    return select(
        _STAGED.c.id.label("row_id"), *(_PRODUCTS.c[name] for name in told), _changed()
    ).where(*_same_sku())


def _same_sku() -> tuple[ColumnElement[bool], ...]:
    is_same = func.lower(_PRODUCTS.c.sku) == func.lower(_STAGED.c.sku)
    return is_same, _PRODUCTS.c.status != ProductStatus.ARCHIVED


_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_MOMENT = bindparam("moment", type_=DateTime(timezone=True))
_MATCHES = _matching()
# In key order: two imports that share products would otherwise deadlock.
_LOCK_MATCHES = (
    _matching()
    .where(_PRODUCTS.c.id == any_(_IDS))
    .order_by(_PRODUCTS.c.id)
    .with_for_update(key_share=True, of=_PRODUCTS)
)
_UPDATE = (
    update(_PRODUCTS)
    .where(_PRODUCTS.c.id == any_(_IDS), _PRODUCTS.c.sku == _STAGED.c.sku)
    .values(
        {
            "version": _PRODUCTS.c.version + 1,
            "updated_at": _MOMENT,
            **{
                name: case((_is_named(name), _STAGED.c[name]), else_=_PRODUCTS.c[name])
                for name in FIELDS
                if name != "sku"
            },
        }
    )
)
# In the order of their SKUs: two imports that share new products would otherwise deadlock.
_INSERT = (
    insert(_PRODUCTS)
    .from_select(
        ["id", "version", "created_at", "updated_at", *FIELDS],
        select(
            _STAGED.c.id,
            literal(1),
            _MOMENT,
            _MOMENT,
            *(_STAGED.c[name] for name in FIELDS),
        )
        .where(_STAGED.c.id == any_(_IDS))
        .order_by(func.lower(_STAGED.c.sku)),
        include_defaults=False,
    )
    .on_conflict_do_nothing(
        index_elements=[func.lower(text("sku"))], index_where=text("status <> 'archived'")
    )
)
_THERE = select(_PRODUCTS.c.id).where(_PRODUCTS.c.id == any_(_IDS))

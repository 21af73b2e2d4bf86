"""Products as the JSON that clients get, most of it written by PostgreSQL, in one round trip.

``products.schemas`` says what it is; here is the same in SQL, without an object for each product
and without a walk through its fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from hashlib import sha256
from uuid import UUID

from sqlalchemy import String, bindparam, cast, func, select, true
from sqlalchemy import literal_column as sql

from stockroom.core.hot_reads.representation import Representation
from stockroom.core.pagination import DEFAULT_PAGE, PageRequest
from stockroom.core.recent import Recent
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.core.sql.statements import Row
from stockroom.products.conditions import (
    ANY_WORDS,
    INDEXED_SORTS,
    NOT_ARCHIVED,
    has_sku,
    keyset,
    matching,
    names_of,
    values_of,
    visible,
)
from stockroom.products.documents import (
    document,
    etag_of,
    fields_of,
    joined,
    pieces_of,
    stock_of,
)
from stockroom.products.errors import ProductNotFound
from stockroom.products.filters import RELEVANCE, ProductFilters
from stockroom.products.models import Product

_MOST_SHAPES = 200
_COLUMNS = [column for column in Product.__table__.columns if column.name != "search"]


def of_id(product_id: UUID, *, to_staff: bool) -> Question[Representation]:
    """The product: ProductNotFound if there is none, or none that this reader may see."""
    return Question(partial(_by_id, to_staff=to_staff), {"id": product_id}, _one)


def of_sku(sku: str, *, to_staff: bool) -> Question[Representation]:
    """The product with this SKU, in any case, that is not archived; none as for ``of_id``."""
    return Question(partial(_by_sku, to_staff=to_staff), {"sku": sku}, _one)


def of_page(
    filters: ProductFilters,
    sort: str,
    request: PageRequest,
    fields: Sequence[str] | None,
    *,
    to_staff: bool,
) -> Question[Representation]:
    """A page of products that meet every filter.

    :param fields: only these of each product.
    :raises InvalidInput: if the cursor is none of this list in this order.
    """
    order, values = keyset(sort), values_of(filters)
    position = order.position(request.cursor) if request.cursor is not None else {}
    shape = _Shape(
        names=tuple(sorted(names_of(filters))),
        sort=sort,
        limit=request.limit,
        goes_on=request.cursor is not None,
        fields=tuple(fields) if fields else None,
        to_staff=to_staff,
    )

    def shown(rows: list[Row]) -> Representation:
        total = _count(replace(shape, goes_on=False)).first(**values) if request.count else None
        return _shown(shape, rows, total[0] if total else None)

    takes_time = request.count or _pages.get(shape) is None
    return Question(partial(_page, shape), {**values, **position}, shown, takes_time)


@dataclass(frozen=True, slots=True)
class _Shape:
    """All that makes one query on the list another one, but for the values in it.

    The limit is no value: the planner would have to guess it.
    """

    names: tuple[str, ...]
    sort: str
    limit: int
    goes_on: bool
    fields: tuple[str, ...] | None
    to_staff: bool


def _one(rows: list[Row]) -> Representation:
    if not rows:
        raise ProductNotFound
    etag, *pieces = rows[0]
    return Representation(joined(pieces), etag)


def _shown(shape: _Shape, rows: list[Row], total: int | None) -> Representation:
    """A page; the row beyond its limit only tells that another one follows."""
    order, items = keyset(shape.sort), rows[: shape.limit]
    keys_end = 1 + len(order.keys)
    next_cursor = order.cursor(items[-1][1:keys_end]) if len(rows) > shape.limit else None
    before, behind = _around(next_cursor, total)
    body = b",".join([joined(row[keys_end:]) for row in items])
    # Of the items' own tags, as the page is forty times as long, and of how they are shown.
    tags = " ".join([_page(shape).name, *(row[0] for row in items), behind])
    return Representation(
        b"".join((before.encode(), body, behind.encode())),
        sha256(tags.encode()).hexdigest()[:32],
        next_cursor,
    )


def _around(next_cursor: str | None, total: int | None) -> tuple[str, str]:
    """What stands before and behind the items of a page."""
    # A cursor is made of letters that JSON takes as they are.
    cursor = f'"{next_cursor}"' if next_cursor else "null"
    count = "" if total is None else f',"total":{total}'
    return '{"items":[', f'],"next_cursor":{cursor}{count}}}'


@cache
def _by_id(*, to_staff: bool) -> Prepared:
    found = select(*_COLUMNS).where(Product.id == bindparam("id"), *visible(to_staff=to_staff))
    return Prepared(document(found), is_brief=True)


@cache
def _by_sku(*, to_staff: bool) -> Prepared:
    found = select(*_COLUMNS).where(has_sku(), NOT_ARCHIVED, *visible(to_staff=to_staff))
    return Prepared(document(found), is_brief=True)


_pages = Recent[_Shape, Prepared](_MOST_SHAPES)


def _page(shape: _Shape) -> Prepared:
    if (known := _pages.get(shape)) is None:
        known = _page_of(shape)
        _pages.keep(shape, known)
    return known


def _page_of(shape: _Shape) -> Prepared:
    order = keyset(shape.sort)
    # By relevance all that match have to be ranked: one plan is good for all words.
    is_ranked = shape.sort == RELEVANCE and shape.names == ("q",)
    conditions = matching((ANY_WORDS,) if is_ranked else shape.names, to_staff=shape.to_staff)
    found = order.with_keys(select(*_COLUMNS)).where(*conditions)
    if shape.goes_on:
        found = found.where(order.behind)
    # One row more than asked for tells whether another page follows.
    found = found.order_by(*order.order_by()).limit(sql(str(shape.limit + 1)))
    page = found.subquery("page")
    # The JSON is written for these rows alone, and not for all that had to be sorted.
    stock = stock_of(page)
    described = fields_of(page, stock.c.available)
    names = shape.fields or tuple(described)
    shown = [page.c[name] for name in order.key_names]
    shown_fields = {name: value for name, value in described.items() if name in names}
    *values, last_id = shown
    # The id as text, which a cursor makes of it: the driver would make an object first.
    tag = etag_of(page, stock.c.available)
    query = select(tag, *values, cast(last_id, String), *pieces_of(shown_fields))
    query = query.select_from(page.join(stock, true()))
    ordered = query.order_by(*(key.desc() if order.descending else key.asc() for key in shown))
    # Otherwise, how many products a word is in differs far too much for one plan.
    keeps_plan = (is_ranked or "q" not in shape.names) and shape.fields is None
    return Prepared(ordered, keeps_plan=keeps_plan, is_brief=keeps_plan and _is_brief(shape))


def _is_brief(shape: _Shape) -> bool:
    """Whether an index leads to its first product, and to the others in their order. Only such as
    nobody may see are skipped.
    """
    is_indexed = shape.sort.removeprefix("-") in INDEXED_SORTS
    return shape.goes_on and not shape.names and is_indexed and shape.limit <= DEFAULT_PAGE


@lru_cache(_MOST_SHAPES)
def _count(shape: _Shape) -> Prepared:
    found = select(Product.id).where(*matching(shape.names, to_staff=shape.to_staff))
    return Prepared(select(func.count()).select_from(found.subquery()), keeps_plan=False)

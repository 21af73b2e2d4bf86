"""What a list of products can be narrowed and sorted by, in SQL.

The values are parameters, so that a query is written out once for each set of filters.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, REAL, TSQUERY, array

from stockroom.core.database import table_of
from stockroom.core.pagination import Keyset
from stockroom.products.filters import RELEVANCE, ProductFilters
from stockroom.products.models import Product, ProductStatus
from stockroom.products.stocking import stocking

# How words are taken apart (PostgreSQL's text search configurations).
_ENGLISH: ColumnElement[str] = literal_column("'english'")
_SIMPLE: ColumnElement[str] = literal_column("'simple'")
# A number in the text of a query, and what is put in its place. A quote within a word is written
# twice, so that none is taken for the beginning or the end of a number.
_NUMBER: ColumnElement[str] = literal_column(r"""'(?<!'')''-?([0-9][0-9.e+-]*)''(:\*)?(?!'')'""")
_OF_EITHER_SIGN: ColumnElement[str] = literal_column(r"""'(''\1''\2 | ''-\1''\2)'""")

NOT_ARCHIVED = Product.status != ProductStatus.ARCHIVED
RANK_WEIGHTS = [0, 0.2, 0.6, 1]
"""Of D (words as written), C (description), B (name) and A (SKU)."""
INDEXED_SORTS = ("created_at", "updated_at", "name", "price")
"""In either direction: an index gives their first products without a look at the others."""
_RANKED = f"{RELEVANCE} by ts_rank, numbers of either sign"
"""Names the order in cursors: those of another rank would skip products."""
ANY_WORDS = "any_words"
"""The condition for ``q``, planned without a look at how many products the words are in."""

# ``Product.search`` is stored beside its row: fetched once for each row, and not for each use. An
# array holds a value as it is used; without the offset the planner would write the column wherever
# its value is used.
_FETCHED = (
    select(array([Product.search])[1].label("vector"))
    .correlate(Product)
    .offset(literal_column("0"))
    .lateral("fetched")
)


def visible(*, to_staff: bool) -> list[ColumnElement[bool]]:
    return [] if to_staff else [Product.status == ProductStatus.ACTIVE]


def has_sku() -> ColumnElement[bool]:
    """Whether a product has the SKU ``sku``, in any case."""
    return func.lower(Product.sku) == func.lower(bindparam("sku", type_=String))


_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "q": lambda: Product.search.op("@@")(_text_query()),
    ANY_WORDS: lambda: Product.search.op("@@")(_once(_text_query())),
    "sku": has_sku,
    "family": lambda: Product.family == bindparam("family"),
    "currency": lambda: Product.currency == bindparam("currency"),
    "status": lambda: Product.status == bindparam("status"),
    "price_min": lambda: Product.price >= bindparam("price_min"),
    "price_max": lambda: Product.price <= bindparam("price_max"),
    "in_stock": lambda: stocking().available() > 0,
    "out_of_stock": lambda: not_(stocking().available() > 0),
    "updated_since": lambda: Product.updated_at >= bindparam("updated_since"),
}


def names_of(filters: ProductFilters) -> list[str]:
    """The names of the conditions that the filters stand for."""
    is_out = filters.get("in_stock") is False
    return ["out_of_stock" if is_out and name == "in_stock" else name for name in filters]


def values_of(filters: ProductFilters) -> dict[str, Any]:
    """The values of all parameters in the conditions."""
    return {**filters, **(_words(filters["q"]) if "q" in filters else {})}


def matching(names: Collection[str], *, to_staff: bool) -> list[ColumnElement[bool]]:
    """Products that meet every condition; without one on the status, none that is archived."""
    conditions = [_CONDITIONS[name]() for name in names]
    if "status" not in names:
        conditions.append(NOT_ARCHIVED)
    return [*visible(to_staff=to_staff), *conditions]


@cache
def keyset(sort: str) -> Keyset:
    """The order that ``sort`` names; a leading minus turns it around."""
    if sort == RELEVANCE:
        source = table_of(Product).join(_FETCHED, true())
        return Keyset(_RANKED, _rank(), Product.id, descending=True, parse=float, source=source)
    column, parse = _SORTS[sort.removeprefix("-")]
    return Keyset(sort, column, Product.id, descending=sort.startswith("-"), parse=parse)


_SORTS: dict[str, tuple[Any, Any]] = {
    "created_at": (None, str),
    "updated_at": (Product.updated_at, datetime.fromisoformat),
    "name": (Product.name, str),
    "price": (Product.price, Decimal),
    "sku": (Product.sku, str),
}


def _words(q: str) -> dict[str, str]:
    """What a text query is made of: the words before the last one, and the start of the last."""
    *words, last = q.split() or [""]
    quoted = last.replace("\\", "\\\\").replace("'", "''")
    return {"words": " ".join(words), "last_word": last, "last_start": f"'{quoted}':*"}


def _text_query() -> ColumnElement[Any]:
    """All words of ``q``, by their English stems; the last one also as the start of a word."""
    words = func.plainto_tsquery(_ENGLISH, _text("words"))
    start = func.to_tsquery(_SIMPLE, _text("last_start"))
    last_word = start.op("||")(func.plainto_tsquery(_ENGLISH, _text("last_word")))
    return _of_either_sign(words.op("&&")(last_word))


def _of_either_sign(query: ColumnElement[Any]) -> ColumnElement[Any]:
    """The query, with each of its numbers also as it is read behind a hyphen, and the other way
    round: to PostgreSQL, the 12 of CUP-12 is -12.
    """
    written = func.regexp_replace(
        cast(query, Text), _NUMBER, _OF_EITHER_SIGN, literal_column("'g'")
    )
    return cast(written, TSQUERY)


def _rank() -> ColumnElement[float]:
    """How well a product answers ``q``: the words as one phrase first, then where and how often.

    ``ts_rank`` also looks at how close the words stand.
    """
    vector = _FETCHED.c.vector
    phrase_query = _of_either_sign(func.phraseto_tsquery(_ENGLISH, _text("q")))
    phrase = vector.op("@@")(_once(phrase_query))
    words = _once(_text_query())
    matches = func.ts_rank(cast(RANK_WEIGHTS, ARRAY(REAL)), vector, words)
    # In double precision the value survives its way through the cursor unchanged.
    return cast(matches, DOUBLE_PRECISION) + cast(cast(phrase, Integer), DOUBLE_PRECISION)


def _once(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Computed once a query; where a plan is kept it would else be once a row."""
    return select(value).scalar_subquery()


def _text(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=String)

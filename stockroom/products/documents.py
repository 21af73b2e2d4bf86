"""A product as JSON, in SQL: the same as ``products.schemas`` makes of it.

PostgreSQL writes all of it but the description, which it gives as it stands: to put that in quotes
would take it more than half as long as all the rest, and orjson a twentieth of that. So a document
comes in pieces, which ``joined`` puts together.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from operator import add
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Select, String, case, cast, func, select, true
from sqlalchemy import literal_column as sql
from sqlalchemy.orm import aliased

from stockroom.currencies import DECIMALS
from stockroom.products.models import Product
from stockroom.products.stocking import stocking

Texts = Sequence["str | ColumnElement[Any]"]
"""What follows one another in a text: constants, and what a row has."""

RAW_FIELD = "description"

_USUAL_DECIMALS = 2


def document(found: Select[Any]) -> Select[Any]:
    """Of each row found, the ETag and the pieces of the JSON."""
    product = found.subquery("product")
    stock = stock_of(product)
    pieces = pieces_of(fields_of(product, stock.c.available))
    tag = etag_of(product, stock.c.available)
    return select(tag, *pieces).select_from(product.join(stock, true()))


def stock_of(product: FromClause) -> Any:
    """Joined by ``true``, what is available of each product, computed once a row."""
    available = stocking().available(aliased(Product, product)).label("available")
    # Without the offset the planner writes the expression wherever its value is used.
    return select(available).offset(sql("0")).lateral("stock")


def fields_of(product: FromClause, available: ColumnElement[int]) -> dict[str, Texts]:
    """The fields of ``ProductSchema``, in its order, each as it is written in JSON."""
    columns = product.c
    return {
        "id": _quoted(columns.id),
        "sku": _text(columns.sku),
        "name": _text(columns.name),
        RAW_FIELD: [columns.description],
        "price": _quoted(_price(columns.price, columns.currency)),
        "currency": _quoted(columns.currency),
        "family": _or_null(func.to_json(columns.family)),
        "options": [columns.options],
        "attributes": [columns.attributes],
        "status": _quoted(columns.status),
        "available": [available],
        "low_stock_threshold": _or_null(columns.low_stock_threshold),
        "created_at": _quoted(_moment(columns.created_at)),
        "updated_at": _quoted(_moment(columns.updated_at)),
    }


def pieces_of(fields: dict[str, Texts]) -> list[ColumnElement[str]]:
    """The JSON object with these fields: as one text, or as what stands before the description,
    the description, and what stands behind it.
    """
    texts: list[str | ColumnElement[Any]] = []
    pieces: list[ColumnElement[str]] = []
    for name, value in fields.items():
        texts.append(f'{"," if texts or pieces else "{"}"{name}":')
        if name == RAW_FIELD:
            pieces += [_concatenated(texts), _concatenated(value)]
            texts = []
        else:
            texts += value
    return [*pieces, _concatenated([*texts, "}"])]


def joined(pieces: Sequence[Any]) -> bytes:
    """The document whose pieces a row has."""
    if len(pieces) == 1:
        return str(pieces[0]).encode()
    before, description, behind = pieces
    return b"".join((before.encode(), orjson.dumps(description), behind.encode()))


def _quoted(value: ColumnElement[Any]) -> Texts:
    """Of what has only letters that JSON takes as they are."""
    return ['"', value, '"']


def _text(value: ColumnElement[Any]) -> Texts:
    return [func.to_json(value)]


def _or_null(value: ColumnElement[Any]) -> Texts:
    return [func.coalesce(cast(value, String), sql("'null'"))]


def _concatenated(texts: Texts) -> ColumnElement[str]:
    parts: list[ColumnElement[str]] = []
    for is_constant, some in groupby(texts, lambda it: isinstance(it, str)):
        if is_constant:
            parts.append(sql(f"'{''.join(map(str, some))}'", String))
        else:
            parts.extend(cast(it, String) for it in some)
    return reduce(add, parts)


def _price(price: ColumnElement[Any], currency: ColumnElement[str]) -> ColumnElement[str]:
    """As ``money.format_price`` writes it: with the decimals that the currency has."""
    unusual = sorted({*DECIMALS.values()} - {_USUAL_DECIMALS})
    # By lists: with a branch for each currency the server would get all of them ready each time.
    branches = ((currency.in_(_codes_with(number)), number) for number in unusual)
    decimals = case(*branches, else_=_USUAL_DECIMALS)
    return cast(func.round(price, decimals), String)


def _codes_with(decimals: int) -> list[str]:
    return sorted(code for code, number in DECIMALS.items() if number == decimals)


def _moment(moment: ColumnElement[Any]) -> ColumnElement[str]:
    """As ``datetime.isoformat`` writes it, in UTC."""
    pattern: ColumnElement[str] = sql('\'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"\'')
    written = func.to_char(func.timezone(sql("'UTC'"), moment), pattern)
    return func.replace(written, sql("'.000000'"), sql("''"))


def etag_of(product: FromClause, available: ColumnElement[int]) -> ColumnElement[str]:
    """As ``Product.etag`` has it."""
    hexadecimal = func.replace(cast(product.c.id, String), sql("'-'"), sql("''"))
    return func.concat(product.c.version, sql("'-'"), hexadecimal, sql("'.'"), available)

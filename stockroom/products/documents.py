"""A product as JSON, in SQL: the same as ``products.schemas`` makes of it."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, String, case, cast, func, select, true
from sqlalchemy import literal_column as sql
from sqlalchemy.orm import aliased

from stockroom.currencies import DECIMALS
from stockroom.products.models import Product
from stockroom.products.stocking import stocking

_USUAL_DECIMALS = 2


def document(found: Select[Any]) -> Select[Any]:
    """Of each row found, the JSON and the ETag."""
    product = found.subquery("product")
    stock = stock_of(product)
    document = cast(json_object(fields_of(product, stock.c.available)), String)
    return select(document, etag_of(product, stock.c.available)).select_from(
        product.join(stock, true())
    )


def stock_of(product: FromClause) -> Any:
    """Joined by ``true``, what is available of each product, computed once a row."""
    available = stocking().available(aliased(Product, product)).label("available")
    # Without the offset the planner writes the expression wherever its value is used.
    return select(available).offset(sql("0")).lateral("stock")


def fields_of(product: FromClause, available: ColumnElement[int]) -> dict[str, ColumnElement[Any]]:
    """The fields of ``ProductSchema``, in its order."""
    columns = product.c
    return {
        "id": columns.id,
        "sku": columns.sku,
        "name": columns.name,
        "description": columns.description,
        "price": _price(columns.price, columns.currency),
        "currency": columns.currency,
        "family": columns.family,
        "options": columns.options,
        "attributes": columns.attributes,
        "status": columns.status,
        "available": available,
        "low_stock_threshold": columns.low_stock_threshold,
        "created_at": _moment(columns.created_at),
        "updated_at": _moment(columns.updated_at),
    }


def json_object(fields: dict[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    pairs = [part for name, value in fields.items() for part in (sql(f"'{name}'"), value)]
    return func.json_build_object(*pairs)


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

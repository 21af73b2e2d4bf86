"""What can be done with the catalogue."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from stockroom.core import cache
from stockroom.core.context import settings
from stockroom.core.database import new_id, now
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.json_values import is_same
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.sql.question import Question
from stockroom.core.transaction import reading, transaction
from stockroom.core.versions import ANY_VERSION, ExpectedVersion
from stockroom.products import repository, representations
from stockroom.products.conditions import keyset, values_of
from stockroom.products.errors import ProductNotFound
from stockroom.products.events import Before, record_changed, record_created
from stockroom.products.filters import RELEVANCE, ProductFilters
from stockroom.products.models import Product, ProductStatus
from stockroom.products.money import check_price
from stockroom.products.stocking import stocking


class ProductFields(TypedDict, total=False):
    """What can be set on a product. A new one needs ``sku``, ``name`` and ``price``."""

    sku: str
    name: str
    description: str | None
    price: Decimal
    currency: str
    family: str | None
    options: dict[str, str]
    attributes: dict[str, Any]
    status: ProductStatus
    low_stock_threshold: int | None


def defaults() -> ProductFields:
    """What a new product has where nothing is given."""
    return {
        "description": None,
        "currency": settings().default_currency,
        "family": None,
        "options": {},
        "attributes": {},
        "status": ProductStatus.ACTIVE,
        "low_stock_threshold": None,
    }


def with_defaults(fields: ProductFields) -> ProductFields:
    """A whole product: what is not given has its default.

    :raises InvalidInput: if the price has more decimals than the currency.
    """
    whole: ProductFields = {**defaults(), **fields}
    check_price(whole["price"], whole["currency"])
    return whole


def create(fields: ProductFields, stock: int = 0) -> Product:
    """Add a product.

    :param stock: pieces that are there already; they become its first movement.
    :raises SkuTaken: if a product that is not archived has the SKU, in any case.
    :raises InvalidInput: if the price has more decimals than the currency.
    """
    moment = now()
    product = Product(
        id=new_id(), version=1, created_at=moment, updated_at=moment, **with_defaults(fields)
    )
    product.available = stock
    with transaction() as session:
        repository.add(session, product)
        record_created(session, product)
        stocking().open(session, product, stock)
        cache.changed(session)
    return product


def get(product_id: UUID, *, to_staff: bool) -> Product:
    """:raises ProductNotFound: if there is none, or none that the reader may see."""
    with reading() as session:
        product = repository.get(session, product_id)
    if product is None or not (to_staff or product.status is ProductStatus.ACTIVE):
        raise ProductNotFound
    return product


def get_by_sku(sku: str) -> Product:
    """:raises ProductNotFound: if none that is not archived has it."""
    with reading() as session:
        product = repository.find_by_sku(session, sku)
    if product is None:
        raise ProductNotFound
    return product


def search(filters: ProductFilters, page: PageRequest) -> Page[Product]:
    """Products that meet every filter; best matches first if there is ``q``, else newest."""
    statement = repository.found_by(filters, to_staff=True)
    order = keyset(_order(filters))
    with reading() as session:
        return read_page(session, statement, order, page, values_of(filters))


def ask_for_page(
    filters: ProductFilters,
    page: PageRequest,
    sort: str | None = None,
    fields: Sequence[str] | None = None,
    *,
    to_staff: bool,
) -> Question[Representation]:
    """Asks for products that meet every filter; best matches first if there is ``q``, else newest.

    :param fields: only these of each product.
    :raises InvalidInput: if the page's cursor is none of this list in this order.
    """
    order = sort or _order(filters)
    return representations.of_page(filters, order, page, fields, to_staff=to_staff)


def change(
    product_id: UUID, changes: ProductFields, expected: ExpectedVersion = ANY_VERSION
) -> Product:
    """Change some fields; what is not named stays. Archived products can be brought back.

    :raises ProductNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    :raises SkuTaken: if another product that is not archived has the new SKU.
    :raises InvalidInput: if the price has more decimals than the currency.
    """
    with transaction() as session:
        product = _locked(session, product_id, expected)
        available = product.available
        if apply(session, product, changes):
            cache.changed(session)
    # It is no column, and was forgotten when the row was written.
    product.available = available
    return product


def replace(
    product_id: UUID, fields: ProductFields, expected: ExpectedVersion = ANY_VERSION
) -> Product:
    """Change all fields; what is not named takes its default. Errors as for ``change``."""
    return change(product_id, with_defaults(fields), expected)


def archive(product_id: UUID, expected: ExpectedVersion = ANY_VERSION) -> None:
    """Take a product out of the catalogue; its SKU is then free. Errors as for ``change``."""
    change(product_id, {"status": ProductStatus.ARCHIVED}, expected)


def apply(session: Session, product: Product, changes: ProductFields) -> bool:
    """Set fields, and tell of it; returns whether any has another value now.

    :raises InvalidInput: if the price has more decimals than the currency.
    """
    check_price(changes.get("price", product.price), changes.get("currency", product.currency))
    names, before = differing(product, changes), Before(product.sku, product.status)
    for name in names:
        setattr(product, name, changes[name])  # type: ignore[literal-required]
        # SQLAlchemy compares as Python does, where true equals 1; it would leave that change out.
        flag_modified(product, name)
    if names:
        record_changed(session, product, names, before)
    return bool(names)


def differing(product: Product, fields: ProductFields) -> list[str]:
    """The names of the fields that have another value in the product."""
    return [name for name, value in fields.items() if not is_same(getattr(product, name), value)]


def is_empty() -> bool:
    """Whether there has never been a product."""
    with reading() as session:
        return repository.is_empty(session)


def _locked(session: Session, product_id: UUID, expected: ExpectedVersion) -> Product:
    product = repository.get(session, product_id, lock=True)
    if product is None:
        raise ProductNotFound
    expected.check(product)
    return product


def _order(filters: ProductFilters) -> str:
    return RELEVANCE if "q" in filters else "-created_at"

"""What is told of a change of the catalogue.

A product that customers cannot see is not told of to them: while it is a draft or archived, its
events are for staff. The one that takes it out of their sight is public, and says no more of it
than the SKU that it had.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.products.models import Product, ProductStatus
from stockroom.products.money import format_price


class Facts(NamedTuple):
    """A product, as far as its events tell of it: of many at once, no objects are made."""

    id: UUID
    sku: str
    name: str
    price: Decimal
    currency: str
    status: ProductStatus
    version: int


class Before(NamedTuple):
    """What a product was before a change, as far as everybody could see it."""

    sku: str
    status: ProductStatus


def record_created(session: Session, product: Product | Facts) -> None:
    is_public = product.status is ProductStatus.ACTIVE
    data = _facts(product)
    record(session, EventType.PRODUCT_CREATED, product.id, data, is_public=is_public)


def record_changed(
    session: Session, product: Product | Facts, changed: Sequence[str], before: Before
) -> None:
    is_active, was_active = (it is ProductStatus.ACTIVE for it in (product.status, before.status))
    is_withdrawn = was_active and not is_active
    facts = _identity(product) | {"sku": before.sku} if is_withdrawn else _facts(product)
    # The row is written, and with it the version counted, after the changes are known.
    data = facts | {"version": product.version + 1, "changed": changed}
    is_archived = product.status is ProductStatus.ARCHIVED and "status" in changed
    event_type = EventType.PRODUCT_ARCHIVED if is_archived else EventType.PRODUCT_UPDATED
    record(session, event_type, product.id, data, is_public=is_active or was_active)


def _identity(product: Product | Facts) -> dict[str, Any]:
    return {"sku": product.sku, "status": product.status.value}


def _facts(product: Product | Facts) -> dict[str, Any]:
    return {
        **_identity(product),
        "name": product.name,
        "price": format_price(product.price, product.currency),
        "currency": product.currency,
        "version": 1,
    }

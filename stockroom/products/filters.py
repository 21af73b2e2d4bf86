"""What a list of products can be narrowed and sorted by."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from stockroom.products.models import ProductStatus

RELEVANCE = "relevance"
SORTED_BY = ("created_at", "updated_at", "name", "price", "sku")
SORTS = (RELEVANCE, *(sign + name for name in SORTED_BY for sign in ("", "-")))
"""A leading minus turns an order around; relevance is always best first."""


class ProductFilters(TypedDict, total=False):
    """What to look for. Prices are inclusive bounds, whatever the currency."""

    q: str
    sku: str
    family: str
    currency: str
    status: ProductStatus
    price_min: Decimal
    price_max: Decimal
    in_stock: bool
    updated_since: datetime

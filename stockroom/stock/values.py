"""What stock is counted by, and what is known of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from stockroom.products.models import ProductStatus

Key = tuple[UUID, str]
"""A product and a location: what a level is of."""


def keys_by_product(keys: Iterable[Key]) -> Mapping[UUID, Sequence[Key]]:
    """The levels of each product, in their order; of one that has none, none."""
    by_product = defaultdict[UUID, list[Key]](list)
    for key in keys:
        by_product[key[0]].append(key)
    return by_product


class Item(NamedTuple):
    """A product, as far as the stock has to know it."""

    id: UUID
    sku: str
    status: ProductStatus
    low_stock_threshold: int | None

    @property
    def is_public(self) -> bool:
        return self.status is ProductStatus.ACTIVE

    @property
    def is_archived(self) -> bool:
        return self.status is ProductStatus.ARCHIVED


@dataclass(slots=True)
class Balance:
    """What a level holds."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

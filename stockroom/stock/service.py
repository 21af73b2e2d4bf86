"""What can be done with stock: moving it, counting it, and reading how it stands and stood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import settings
from stockroom.core.errors import InvalidInput
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.transaction import reading, retried, transaction
from stockroom.products import service as products
from stockroom.products.errors import ProductNotFound
from stockroom.products.models import Product
from stockroom.products.repository import with_available
from stockroom.stock import repository
from stockroom.stock.books import LOCK_SECONDS, Books, Facts
from stockroom.stock.expiry import after_expiry
from stockroom.stock.filters import MovementFilters
from stockroom.stock.models import MAIN, Movement, MovementKind
from stockroom.stock.values import Balance, Item, Key

_TAKES_OUT = (MovementKind.SHIPPED, MovementKind.TRANSFERRED)


class NewMovement(Facts, total=False):
    """A movement as it is asked for: ``kind`` and ``quantity`` are needed.

    :ivar quantity: pieces, signed for an adjustment alone.
    :ivar location: ``main`` if left out; of a transfer, where it begins.
    :ivar to_location: of a transfer, where it ends.
    """

    kind: MovementKind
    quantity: int
    location: str
    to_location: str


class ProductStock(TypedDict):
    """How many pieces there are of a product: in all, and by location."""

    product_id: UUID
    sku: str
    total: Balance
    locations: Mapping[str, Balance]


@dataclass(frozen=True, slots=True)
class Low:
    """A product of which few pieces are left."""

    product: Product
    threshold: int


@retried
@after_expiry
def move(product_id: UUID, new: NewMovement) -> Movement:
    """Book a movement; of a transfer, which is two, returns the one that takes out.

    :raises ProductNotFound: if there is no such product.
    :raises InvalidInput: for a location that there is not.
    :raises InsufficientStock: if it takes out more than is available.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        items = repository.products.find(session, [product_id])
        if not items:
            raise ProductNotFound
        _require_locations(session, new)
        books = Books(session, items, open_at=changes_of(product_id, new))
        line = book(books, items[0], new)
        books.close()
    return Movement(**line)


def changes_of(product_id: UUID, new: NewMovement) -> dict[Key, int]:
    """By how much a movement changes levels: one, or of a transfer two, where it begins first."""
    kind, quantity = new["kind"], new["quantity"]
    begin = product_id, new.get("location", MAIN)
    changes = {begin: -quantity if kind in _TAKES_OUT else quantity}
    if "to_location" in new:
        changes[product_id, new["to_location"]] = quantity
    return changes


def book(books: Books, item: Item, new: NewMovement) -> dict[str, object]:
    """Book a movement as it is asked for; returns its first line.

    :raises InsufficientStock: if it takes out more than is available.
    """
    facts: Facts = {
        "reason": new.get("reason"),
        "reference": new.get("reference"),
        "ordinal": new.get("ordinal"),
        "occurred_at": new.get("occurred_at"),
    }
    changes = changes_of(item.id, new).items()
    lines = [books.move(key, new["kind"], change, **facts) for key, change in changes]
    return lines[0]


def list_movements(product_id: UUID, filters: MovementFilters, page: PageRequest) -> Page[Movement]:
    """The product's part of the ledger, what was recorded last first.

    :raises ProductNotFound: if there is no such product.
    """
    products.get(product_id, to_staff=True)
    with reading() as session:
        statement = repository.ledger.of(product_id, filters)
        return read_page(session, statement, repository.ledger.NEWEST_FIRST, page)


def newest_movements(product_id: UUID, most: int) -> Sequence[Movement]:
    """The last ones, oldest first."""
    with reading() as session:
        return repository.ledger.newest(session, product_id, most)


def stock_of(product_id: UUID, *, to_staff: bool) -> ProductStock:
    """How many pieces there are; what is overdue counts as promised no longer.

    :raises ProductNotFound: if there is no such product, or none that the reader may see.
    """
    product = products.get(product_id, to_staff=to_staff)
    with reading() as session:
        levels = repository.levels.of(session, product_id)
    total = Balance(
        sum(level.on_hand for level in levels.values()),
        sum(level.reserved for level in levels.values()),
    )
    return {"product_id": product.id, "sku": product.sku, "total": total, "locations": levels}


def list_low(page: PageRequest) -> Page[Low]:
    """Products of which as few pieces are available as their threshold, or fewer, by SKU."""
    default = settings().low_stock_threshold
    with reading() as session:
        statement = repository.products.low(default).options(with_available())
        found = read_page(session, statement, repository.products.BY_SKU, page)
    items = [Low(it, _threshold(it, default)) for it in found.items]
    return Page(items, found.next_cursor, found.total)


def _require_locations(session: Session, new: NewMovement) -> None:
    """:raises InvalidInput: for a location that there is not."""
    ends = {"location": new.get("location"), "to_location": new.get("to_location")}
    named = {name: code for name, code in ends.items() if code is not None}
    if not named:
        return
    known = repository.locations.known(session, named.values())
    unknown = {name: ["No such location."] for name, code in named.items() if code not in known}
    if unknown:
        raise InvalidInput(unknown)


def _threshold(product: Product, default: int) -> int:
    own = product.low_stock_threshold
    return default if own is None else own

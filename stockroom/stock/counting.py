"""Absolute counts, as an import of the catalogue has them: the difference is booked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from stockroom.core.transaction import transaction
from stockroom.stock import repository
from stockroom.stock.books import Books
from stockroom.stock.errors import InsufficientStock
from stockroom.stock.expiry import expire_of
from stockroom.stock.models import MAIN, MovementKind

REASON = "Counted: the import says so."


@dataclass(slots=True)
class Counted:
    """What became of some counts.

    :ivar changed: SKUs of which there are now more or fewer pieces than before.
    :ivar refused: why others are not booked, by SKU.
    """

    changed: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def count(counts: Mapping[str, int], reference: str, new: Collection[str] = ()) -> Counted:
    """See that there are so many pieces of each product, at all locations together.

    The difference is booked at ``main``. What is promised, or lies elsewhere, cannot be counted
    away; that is refused, and the rest is booked.

    :param counts: pieces by SKU, exactly as it is written; an unknown one is passed over.
    :param reference: what the ledger calls the counting.
    :param new: SKUs of products that were made just now: their pieces were received.
    """
    counted = Counted()
    with transaction() as session:
        found = repository.products.find(session, skus=counts.keys())
        items = [item for item in found if item.sku in counts]
        expire_of([item.id for item in items])
        stocked = [(item.id, MAIN) for item in items if counts[item.sku]]
        books = Books(session, items, open_at=stocked)
        for item in items:
            change = counts[item.sku] - books.on_hand(item.id)
            kind = MovementKind.RECEIVED if item.sku in new else MovementKind.ADJUSTED
            reason = None if item.sku in new else REASON
            try:
                if change:
                    key = (item.id, MAIN)
                    books.move(key, kind, change, reason=reason, reference=reference)
                    counted.changed.add(item.sku)
            except InsufficientStock as error:
                available = error.extensions["available"]
                counted.refused[item.sku] = (
                    f"stock: {-change} pieces less than now, but only {available} are at "
                    f"{MAIN} and promised to nobody"
                )
        books.close()
    return counted

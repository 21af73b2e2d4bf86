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
    away, and of what there is not nothing can be counted; that is refused, and the rest is booked.

    :param counts: pieces by SKU, in any case; that of an archived product is none.
    :param reference: what the ledger calls the counting.
    :param new: SKUs of products that were made just now: their pieces were received.
    """
    counted = Counted()
    with transaction() as session:
        items = repository.products.by_sku(session, counts.keys())
        expire_of([item.id for item in items.values()])
        stocked = [(item.id, MAIN) for sku, item in items.items() if counts[sku]]
        books = Books(session, items.values(), open_at=stocked)
        for sku in counts.keys() - items.keys():
            counted.refused[sku] = f"stock: no product has the SKU {sku}"
        for sku, item in items.items():
            change = counts[sku] - books.on_hand(item.id)
            kind = MovementKind.RECEIVED if sku in new else MovementKind.ADJUSTED
            reason = None if sku in new else REASON
            try:
                if change:
                    key = (item.id, MAIN)
                    books.move(key, kind, change, reason=reason, reference=reference)
                    counted.changed.add(sku)
            except InsufficientStock as error:
                available = error.extensions["available"]
                counted.refused[sku] = (
                    f"stock: {-change} pieces less than now, but only {available} are at "
                    f"{MAIN} and promised to nobody"
                )
        books.close()
    return counted

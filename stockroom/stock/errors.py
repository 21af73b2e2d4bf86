from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from stockroom.core.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which more was asked for than there is.

    :ivar location: where it was to come from; None for anywhere.
    """

    product_id: UUID
    sku: str
    location: str | None
    requested: int
    available: int

    @property
    def text(self) -> str:
        where = f" at {self.location}" if self.location else ""
        return f"{self.requested} of {self.sku}{where} asked for, {self.available} available"


class InsufficientStock(Conflict):
    """Fewer pieces are available than you ask for: on hand, and promised to nobody. `lines` names
    every product that is short, with what was `requested` and what is `available`; where it is one
    product at one location, `available` stands beside it too. Nothing was changed: ask for less, or
    wait for `stock.changed`.
    """

    slug = "insufficient-stock"
    title = "Too few pieces are available"

    def __init__(self, shortages: Sequence[Shortage], *, is_overdue: bool = False) -> None:
        """:param is_overdue: whether some pieces are promised for a time that is up."""
        self.is_overdue = is_overdue
        self.product_ids = [shortage.product_id for shortage in shortages]
        extensions: dict[str, Any] = {
            "lines": [{**asdict(it), "product_id": str(it.product_id)} for it in shortages]
        }
        if len(shortages) == 1:
            extensions["available"] = shortages[0].available
        super().__init__(f"{'; '.join(it.text for it in shortages)}.", **extensions)


class ReservationNotFound(NotFound):
    """There is no such reservation, or it is somebody else's."""

    slug = "reservation-not-found"
    title = "No such reservation"


class ReservationEnded(Conflict):
    """The reservation is over: it was committed, was released, or has expired, as `state` says.
    What it held is no longer kept for you. Reserve anew.
    """

    slug = "reservation-ended"
    title = "The reservation is over"


class LocationNotFound(NotFound):
    """There is no location with this id."""

    slug = "location-not-found"
    title = "No such location"


class LocationTaken(Conflict):
    """A location has this code. Codes are for good: choose another one."""

    slug = "location-taken"
    title = "The code is in use"
    constraint = "uq_locations_code"

"""Changing stock: levels are locked, what is booked is checked against them, and all is written at
once, with its lines in the ledger and its events.

Every change passes here, so that a counter never moves without the ledger, and neither untold.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any, NoReturn, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.context import actor, settings
from stockroom.core.database import new_id, now
from stockroom.stock import repository
from stockroom.stock.errors import InsufficientStock, Shortage
from stockroom.stock.events import record_changed, record_ran_low
from stockroom.stock.models import MovementKind
from stockroom.stock.values import Balance, Item, Key, keys_by_product

LOCK_SECONDS = 3
"""How long a change waits for others to the same levels, before it is tried again."""


class Facts(TypedDict, total=False):
    """What the ledger keeps on a movement, beside what moved."""

    reason: str | None
    reference: str | None
    ordinal: int | None
    occurred_at: datetime | None


class Books:
    """The levels of some products, which stay as they are until the transaction ends.

    What is booked is written by ``close``: a few statements, however many levels there are. Of a
    change that is refused nothing is booked, and others can still be.

    :param open_at: levels to be made if they are not there yet; their locations have to be.
    :param are_new: whether the products are made by this very transaction: nobody else can have
        made levels of them, or be at these.
    """

    def __init__(
        self,
        session: Session,
        items: Iterable[Item],
        open_at: Collection[Key] = (),
        *,
        are_new: bool = False,
    ) -> None:
        self._session = session
        self.items = {item.id: item for item in items}
        self._are_new = are_new
        self._levels = {key: Balance(0, 0) for key in open_at} if are_new else self._locked(open_at)
        self._keys = keys_by_product(self._levels)
        self._before = {key: copy(level) for key, level in self._levels.items()}
        self._movements: list[dict[str, Any]] = []
        self._told: list[tuple[Key, Balance, dict[str, Any] | None]] = []

    def available(self) -> dict[Key, int]:
        """Pieces that are promised to nobody, by level."""
        return {key: level.available for key, level in self._levels.items()}

    def on_hand(self, product_id: UUID) -> int:
        """Pieces of a product, at all locations."""
        return sum(self._levels[key].on_hand for key in self._keys[product_id])

    def hold(self, key: Key, quantity: int) -> None:
        """Promise pieces to somebody.

        :raises InsufficientStock: if fewer are available.
        """
        self._require(key, quantity)
        self._levels[key].reserved += quantity
        self._tell(key)

    def give_back(self, key: Key, quantity: int) -> None:
        """Promise pieces no longer."""
        self._levels[key].reserved -= quantity
        self._tell(key)

    def ship_held(self, key: Key, quantity: int, **facts: Any) -> None:
        """Take out pieces that were promised."""
        self._levels[key].reserved -= quantity
        self._book(key, MovementKind.SHIPPED, -quantity, facts)

    def move(self, key: Key, kind: MovementKind, change: int, **facts: Any) -> dict[str, Any]:
        """Book a movement; returns its line.

        :raises InsufficientStock: if it takes out more than is available.
        """
        self._require(key, -change)
        return self._book(key, kind, change, facts)

    def refuse(self, shortages: Sequence[Shortage]) -> NoReturn:
        """:raises InsufficientStock: naming these, and whether pieces of them are overdue."""
        # Under lock: as long as it is held, nobody gives them back.
        ids = [shortage.product_id for shortage in shortages]
        is_overdue = repository.reservations.has_overdue(self._session, ids)
        raise InsufficientStock(shortages, is_overdue=is_overdue)

    def close(self) -> None:
        """Write what was booked, and tell of it."""
        changes = {key: _difference(self._before[key], it) for key, it in self._levels.items()}
        moved = {key: change for key, change in changes.items() if any(change)}
        if self._are_new:
            repository.levels.add(self._session, self._levels)
        elif moved:
            repository.levels.change(self._session, moved)
        if self._movements:
            repository.ledger.add(self._session, self._movements)
        for key, level, movement in self._told:
            record_changed(self._session, self.items[key[0]], key[1], level, movement)
        for item in self.items.values():
            self._tell_if_low(item)

    def _locked(self, open_at: Collection[Key]) -> dict[Key, Balance]:
        levels = repository.levels.lock(self._session, self.items)
        if missing := set(open_at) - levels.keys():
            repository.levels.open_missing(self._session, missing)
            levels = repository.levels.lock(self._session, self.items)
        return levels

    def _require(self, key: Key, quantity: int) -> None:
        available = self._levels[key].available if key in self._levels else 0
        if quantity > available:
            sku = self.items[key[0]].sku
            self.refuse([Shortage(key[0], sku, key[1], quantity, available)])

    def _book(
        self, key: Key, kind: MovementKind, change: int, facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        level, moment, by = self._levels[key], now(), actor.get()
        level.on_hand += change
        line = {
            "id": new_id(),
            "product_id": key[0],
            "location": key[1],
            "kind": kind,
            "change": change,
            "balance": level.on_hand,
            "reason": facts.get("reason"),
            "reference": facts.get("reference"),
            "ordinal": facts.get("ordinal"),
            "actor_id": by.user_id if by else None,
            "occurred_at": facts.get("occurred_at") or moment,
            "recorded_at": moment,
        }
        self._movements.append(line)
        self._tell(key, line)
        return line

    def _tell(self, key: Key, movement: dict[str, Any] | None = None) -> None:
        self._told.append((key, copy(self._levels[key]), movement))

    def _tell_if_low(self, item: Item) -> None:
        threshold = item.low_stock_threshold
        if threshold is None:
            threshold = settings().low_stock_threshold
        keys = self._keys[item.id]
        after = sum(self._levels[key].available for key in keys)
        if after <= threshold < sum(self._before[key].available for key in keys):
            record_ran_low(self._session, item, after, threshold)


def _difference(before: Balance, after: Balance) -> tuple[int, int]:
    return after.on_hand - before.on_hand, after.reserved - before.reserved

"""Random acts on stock, with a model in plain Python beside them."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from stockroom.core.permissions import Caller, Role
from stockroom.stock import proof, reservations, service
from stockroom.stock.errors import InsufficientStock, ReservationEnded
from stockroom.stock.expiry import expire_overdue
from stockroom.stock.models import MovementKind
from stockroom.transfers.product_rows import ProductRows
from tests.factories.products import make_product
from tests.factories.stock import let_expire

PLACES = ("main", "shop")
_numbers = count(1)

Place = tuple[int, str]
"""The number of a product, and a location."""

products = st.integers(0, 2)
places = st.sampled_from(PLACES)
pieces = st.integers(1, 9)
orders = st.lists(st.tuples(products, pieces, st.none() | places), min_size=1, max_size=4)


@dataclass
class Held:
    """What the model knows of a reservation."""

    id: UUID
    lines: dict[Place, int]
    state: str = "held"


@dataclass
class Model:
    """The stock as it should be."""

    on_hand: Counter[Place] = field(default_factory=Counter)
    reservations: list[Held] = field(default_factory=list)

    def reserved(self, place: Place) -> int:
        return sum(it.lines.get(place, 0) for it in self.reservations if it.state == "held")

    def available(self, place: Place) -> int:
        return self.on_hand[place] - self.reserved(place)

    def available_anywhere(self, product: int) -> int:
        return sum(self.available((product, place)) for place in PLACES)


class StockMachine(RuleBasedStateMachine):
    """Acts by services; whether each is possible, the model says beforehand."""

    held = Bundle("held")
    ended = Bundle("ended")

    def __init__(self, app: Flask, buyer: UUID) -> None:
        super().__init__()
        self.app = app
        self.context = app.app_context()
        self.context.push()
        self.caller = Caller(buyer, Role.CUSTOMER)
        self.model = Model()
        self.skus = [f"MODEL-{next(_numbers)}" for _ in range(3)]
        self.ids = [make_product(app, sku=sku, name="It", price="1").id for sku in self.skus]

    def teardown(self) -> None:
        self.context.pop()

    @rule(product=products, place=places, quantity=pieces)
    def receive(self, product: int, place: str, quantity: int) -> None:
        self._move(product, MovementKind.RECEIVED, quantity, place)
        self.model.on_hand[product, place] += quantity

    @rule(product=products, place=places, quantity=pieces)
    def ship(self, product: int, place: str, quantity: int) -> None:
        if self._move_if_there(product, MovementKind.SHIPPED, quantity, place):
            self.model.on_hand[product, place] -= quantity

    @rule(product=products, place=places, change=st.integers(-9, 9).filter(bool))
    def adjust(self, product: int, place: str, change: int) -> None:
        is_possible = self.model.available((product, place)) + change >= 0
        assert is_possible == self._moves(
            product, MovementKind.ADJUSTED, change, place, reason="counted"
        )
        if is_possible:
            self.model.on_hand[product, place] += change

    @rule(product=products, begin=places, quantity=pieces)
    def transfer(self, product: int, begin: str, quantity: int) -> None:
        (end,) = {*PLACES} - {begin}
        kind = MovementKind.TRANSFERRED
        if self._move_if_there(product, kind, quantity, begin, to_location=end):
            self.model.on_hand[product, begin] -= quantity
            self.model.on_hand[product, end] += quantity

    @rule(target=held, order=orders)
    def reserve(self, order: list[tuple[int, int, str | None]]) -> Any:
        wanted = Counter[tuple[int, str | None]]()
        for product, quantity, place in order:
            wanted[product, place] += quantity
        lines = [self._line(*line) for line in order]
        try:
            made = reservations.create(self.caller, lines)
        except InsufficientStock:
            assert not self._can_serve(wanted)
            return multiple()
        assert self._can_serve(wanted)
        taken = Counter[Place]()
        for line in made.lines:
            taken[self.ids.index(line.product_id), line.location] += line.quantity
        for product in range(3):
            asked = sum(n for (it, _), n in wanted.items() if it == product)
            assert asked == sum(n for (it, _), n in taken.items() if it == product)
        assert all(n <= self.model.available(place) for place, n in taken.items())
        self.model.reservations.append(Held(made.id, taken))
        return self.model.reservations[-1]

    @rule(reservation=held, seconds=st.integers(1, 86_400))
    def extend(self, reservation: Held, seconds: int) -> None:
        self._end(reservation, reservations.extend, "held", seconds)

    @rule(reservation=consumes(held), target=ended)
    def commit(self, reservation: Held) -> Held:
        if self._end(reservation, reservations.commit, "committed"):
            for place, quantity in reservation.lines.items():
                self.model.on_hand[place] -= quantity
        return reservation

    @rule(reservation=consumes(held), target=ended)
    def release(self, reservation: Held) -> Held:
        self._end(reservation, reservations.release, "released")
        return reservation

    @rule(reservation=held)
    def expire(self, reservation: Held) -> None:
        if reservation.state == "held":
            let_expire(self.app, reservation.id)
            reservation.state = "expired"

    @rule(reservation=ended, again=st.sampled_from(["committed", "released"]))
    def end_again(self, reservation: Held, again: str) -> None:
        act = {"committed": reservations.commit, "released": reservations.release}[again]
        is_same = reservation.state == again
        with nullcontext() if is_same else pytest.raises(ReservationEnded, match=reservation.state):
            assert act(self.caller, reservation.id).status.value == again

    @rule()
    def sweep(self) -> None:
        expire_overdue()

    @rule(product=products, counted=st.integers(0, 20))
    def import_count(self, product: int, counted: int) -> None:
        row: Any = {"sku": self.skus[product], "name": "It", "price": Decimal(1), "stock": counted}
        (outcome,) = ProductRows("count").take([row])
        change = counted - sum(self.model.on_hand[product, place] for place in PLACES)
        main = (product, "main")
        if self.model.available(main) + change < 0:
            assert outcome.result == "rejected"
        else:
            assert outcome.result == ("updated" if change else "unchanged")
            self.model.on_hand[main] += change

    @invariant()
    def shop_and_model_agree(self) -> None:
        for product, product_id in enumerate(self.ids):
            stock = service.stock_of(product_id, to_staff=True)
            for place in PLACES:
                level = stock["locations"].get(place)
                found = (level.on_hand, level.reserved) if level else (0, 0)
                model = self.model
                assert found == (model.on_hand[product, place], model.reserved((product, place)))

    @invariant()
    def books_agree(self) -> None:
        assert proof.verify() == []
        assert proof.replay() == []

    def _can_serve(self, wanted: Counter[tuple[int, str | None]]) -> bool:
        for product in range(3):
            named = {p: n for (it, p), n in wanted.items() if it == product and p}
            if any(n > self.model.available((product, p)) for p, n in named.items()):
                return False
            asked = sum(n for (it, _), n in wanted.items() if it == product)
            if asked > self.model.available_anywhere(product):
                return False
        return True

    def _line(self, product: int, quantity: int, place: str | None) -> reservations.Line:
        line: reservations.Line = {"sku": self.skus[product], "quantity": quantity}
        if place:
            line["location"] = place
        return line

    def _end(self, reservation: Held, act: Any, state: str, *more: Any) -> bool:
        """Whether it could be ended, or extended, as the model expects."""
        try:
            done = act(self.caller, reservation.id, *more)
        except ReservationEnded:
            assert reservation.state == "expired"
            return False
        assert reservation.state == "held"
        assert done.status.value == state
        reservation.state = state
        return True

    def _move_if_there(
        self, product: int, kind: MovementKind, quantity: int, place: str, **facts: Any
    ) -> bool:
        """Whether the pieces were there, as the model expects."""
        is_there = quantity <= self.model.available((product, place))
        assert is_there == self._moves(product, kind, quantity, place, **facts)
        return is_there

    def _moves(self, *arguments: Any, **facts: Any) -> bool:
        try:
            self._move(*arguments, **facts)
        except InsufficientStock:
            return False
        return True

    def _move(
        self, product: int, kind: MovementKind, quantity: int, place: str, **facts: Any
    ) -> None:
        new: Any = {"kind": kind, "quantity": quantity, "location": place, **facts}
        service.move(self.ids[product], new)

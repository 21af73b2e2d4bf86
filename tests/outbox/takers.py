"""A sink that remembers what it was given."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from stockroom.outbox.models import Event

MakeRelay = Callable[..., Flask]


class Taker:
    """A sink's ``take`` that keeps the positions which it was given, and fails when it is told."""

    def __init__(self) -> None:
        self.positions: list[int | None] = []
        self.ranges: list[tuple[int, int]] = []
        self.is_broken = False

    def __call__(self, session: Session, after: int, through: int) -> None:
        if self.is_broken:
            raise RuntimeError("broken")
        between = select(Event.position).where(Event.position > after, Event.position <= through)
        self.positions += session.scalars(between.order_by(Event.position))
        self.ranges.append((after, through))

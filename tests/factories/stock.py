from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import update

from stockroom.core.database import now
from stockroom.core.permissions import Caller, Role
from stockroom.core.transaction import transaction
from stockroom.stock import locations, proof, reservations, service
from stockroom.stock.models import MovementKind, Reservation
from stockroom.users.models import User
from tests.factories.users import make_user


def make_location(app: Flask, code: str = "shop") -> str:
    with app.app_context():
        return locations.create(code, code.title()).code


def put(app: Flask, product_id: UUID, quantity: int, location: str = "main") -> None:
    """Receive pieces at a location."""
    new: service.NewMovement = {
        "kind": MovementKind.RECEIVED,
        "quantity": quantity,
        "location": location,
    }
    with app.app_context():
        service.move(product_id, new)


def make_reservation(
    app: Flask, product_id: UUID, quantity: int = 1, *, user: User | None = None
) -> Reservation:
    owner = user or make_user(app, role=Role.CUSTOMER)
    with app.app_context():
        lines: list[reservations.Line] = [{"product_id": product_id, "quantity": quantity}]
        return reservations.create(Caller(owner.id, owner.role), lines)


def let_expire(app: Flask, reservation_id: Any) -> None:
    """Let the time of a reservation be up, as if it had been made earlier."""
    with app.app_context(), transaction() as session:
        its = Reservation.id == UUID(str(reservation_id))
        passed = now() - timedelta(seconds=1)
        session.execute(update(Reservation).where(its).values(expires_at=passed))


def levels(app: Flask, product_id: Any) -> dict[str, tuple[int, int]]:
    """By location, what is on hand and what is reserved, as a reader sees it."""
    with app.app_context():
        stock = service.stock_of(UUID(str(product_id)), to_staff=True)
    return {name: (it.on_hand, it.reserved) for name, it in stock["locations"].items()}


def assert_books_agree(app: Flask) -> None:
    """Every counter is what ledger and reservations say, and every balance follows."""
    with app.app_context():
        assert proof.verify() == []
        assert proof.replay() == []

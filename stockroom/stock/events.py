"""What is told of a change of stock.

Every account may read of the stock of products that everybody sees: so a movement's reason and
reference, which speak of orders and people, stay in the ledger.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.stock.models import Location, Reservation
from stockroom.stock.values import Balance, Item

_TOLD_OF_RESERVATION = {
    "committed": EventType.RESERVATION_COMMITTED,
    "released": EventType.RESERVATION_RELEASED,
    "expired": EventType.RESERVATION_EXPIRED,
}


def record_changed(
    session: Session,
    item: Item,
    location: str,
    level: Balance,
    movement: Mapping[str, Any] | None,
) -> None:
    """:param movement: the line of the ledger; None where pieces were promised, or given back."""
    data = {
        "sku": item.sku,
        "location": location,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
        "movement": _told_of(movement) if movement else None,
    }
    record(session, EventType.STOCK_CHANGED, item.id, data, is_public=item.is_public)


def record_ran_low(session: Session, item: Item, available: int, threshold: int) -> None:
    data = {"sku": item.sku, "available": available, "threshold": threshold}
    record(session, EventType.STOCK_RAN_LOW, item.id, data)


def record_reserved(session: Session, reservation: Reservation) -> None:
    record(session, EventType.RESERVATION_CREATED, reservation.id, _state_of(reservation))


def record_extended(session: Session, reservation: Reservation) -> None:
    record(session, EventType.RESERVATION_EXTENDED, reservation.id, _state_of(reservation))


def record_ended(session: Session, reservation: Reservation) -> None:
    event_type = _TOLD_OF_RESERVATION[reservation.status]
    record(session, event_type, reservation.id, _state_of(reservation))


def record_location(session: Session, location: Location) -> None:
    data = {"code": location.code, "name": location.name}
    record(session, EventType.LOCATION_CREATED, location.id, data)


def _told_of(movement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(movement["id"]),
        "kind": movement["kind"].value,
        "change": movement["change"],
        "balance": movement["balance"],
        "occurred_at": movement["occurred_at"].isoformat(),
    }


def _state_of(reservation: Reservation) -> dict[str, Any]:
    return {
        "user_id": str(reservation.user_id),
        "status": reservation.status.value,
        "reference": reservation.reference,
        "expires_at": reservation.expires_at.isoformat(),
    }

"""What is kept on what a person has reserved, and moved."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.stock import repository
from stockroom.stock.models import Reservation


def _export(session: Session, person: Person) -> dict[str, Any]:
    reservations = repository.reservations.of_user(session, person.user_id)
    return {
        "reservations": [_document(reservation) for reservation in reservations],
        "movements": repository.ledger.count_of_actor(session, person.user_id),
    }


def _document(reservation: Reservation) -> dict[str, Any]:
    return {
        "id": str(reservation.id),
        "status": reservation.present_status.value,
        "reference": reservation.reference,
        "created_at": reservation.created_at.isoformat(),
        "lines": [
            {"sku": line.sku, "location": line.location, "quantity": line.quantity}
            for line in reservation.lines
        ],
    }


def _erase(_session: Session, _person: Person) -> None:
    """The books keep the id of an account, behind which there is nobody any more."""


PERSONAL_DATA = PersonalData("stock", _export, _erase)

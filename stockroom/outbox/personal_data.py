"""What events tell of a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.outbox import repository, service


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "id": str(event.id),
            "type": event.type,
            "subject": str(event.subject),
            "occurred_at": event.occurred_at.isoformat(),
            "address": event.address,
            "data": event.data,
        }
        for event in repository.about(session, person.user_id)
    ]


def _erase(session: Session, person: Person) -> None:
    """What was done stays, with the id of who did it; where from does not."""
    service.forget_addresses(session, person.user_id)


PERSONAL_DATA = PersonalData("events", _export, _erase)

"""What events tell of a person."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.outbox import repository, service
from stockroom.outbox.models import Event


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "id": str(event.id),
            "type": event.type,
            "subject": str(event.subject),
            "occurred_at": event.occurred_at.isoformat(),
            # What somebody else did to the account came from an address of theirs.
            "address": event.address if _doer_of(event) == person.user_id else None,
            "data": event.data,
        }
        for event in repository.about(session, person.user_id)
    ]


def _doer_of(event: Event) -> UUID:
    """Who did it; where nobody was known, as before a login, whom it is about."""
    return event.actor_id or event.subject


def _erase(session: Session, person: Person) -> None:
    """What was done stays, with the id of who did it; where from does not."""
    service.forget_addresses(session, person.user_id)


PERSONAL_DATA = PersonalData("events", _export, _erase)

"""What is kept on the logins of a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.auth import repository, throttling
from stockroom.core.personal_data import Person, PersonalData


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "id": str(login.id),
            "device": login.device,
            "address": login.address,
            "created_at": login.created_at.isoformat(),
            "last_used_at": login.last_used_at.isoformat(),
            "expires_at": login.expires_at.isoformat(),
            "ended_at": login.ended_at.isoformat() if login.ended_at else None,
        }
        for login in repository.all_sessions(session, person.user_id)
    ]


def _erase(session: Session, person: Person) -> None:
    repository.remove_all(session, person.user_id)
    throttling.forget(session, person.email)


PERSONAL_DATA = PersonalData("sessions", _export, _erase)

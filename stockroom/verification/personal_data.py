"""What waits to be proven by a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.verification import repository


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "purpose": token.purpose.value,
            "address": token.new_address or token.address,
            "expires_at": token.expires_at.isoformat(),
        }
        for token in repository.of_user(session, person.user_id)
    ]


def _erase(session: Session, person: Person) -> None:
    repository.remove_all(session, person.user_id, person.email)


PERSONAL_DATA = PersonalData("mailed_tokens", _export, _erase)

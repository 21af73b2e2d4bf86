"""What is kept on the API keys of a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.api_keys import repository
from stockroom.core.personal_data import Person, PersonalData


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "id": str(key.id),
            "name": key.name,
            "prefix": key.prefix,
            "scopes": key.scopes,
            "created_at": key.created_at.isoformat(),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
        }
        for key in repository.all_of_user(session, person.user_id)
    ]


def _erase(session: Session, person: Person) -> None:
    repository.remove_all(session, person.user_id)


PERSONAL_DATA = PersonalData("api_keys", _export, _erase)

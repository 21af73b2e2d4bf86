"""What is kept on the second factor of a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.second_factor import repository


def _export(session: Session, person: Person) -> dict[str, Any]:
    factor = repository.find(session, person.user_id)
    enabled_at = factor.enabled_at if factor else None
    return {
        "enabled_at": enabled_at.isoformat() if enabled_at else None,
        "recovery_codes_left": repository.recovery_codes_left(session, person.user_id),
    }


def _erase(session: Session, person: Person) -> None:
    repository.remove(session, person.user_id)


PERSONAL_DATA = PersonalData("second_factor", _export, _erase)

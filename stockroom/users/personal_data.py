"""What is kept on the owner of an account."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.users import repository


def _export(session: Session, person: Person) -> dict[str, Any]:
    user = repository.get(session, person.user_id)
    verified_at = user.email_verified_at
    return {
        "id": str(user.id),
        "email": user.email,
        "email_verified_at": verified_at.isoformat() if verified_at else None,
        "full_name": user.full_name,
        "role": user.role.value,
        "is_active": user.is_active,
        "created_at": user.created_at.isoformat(),
        "updated_at": user.updated_at.isoformat(),
    }


def _erase(_session: Session, _person: Person) -> None:
    """``service.remove`` empties the row itself."""


PERSONAL_DATA = PersonalData("account", _export, _erase)

"""The mails that were written to a person."""

from typing import Any

from sqlalchemy.orm import Session

from stockroom.core.personal_data import Person, PersonalData
from stockroom.mail import repository, service


def _export(session: Session, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "address": mail.address,
            "template": mail.template,
            "state": mail.state.value,
            "created_at": mail.created_at.isoformat(),
        }
        for mail in repository.written_to(session, person.user_id, person.email)
    ]


def _erase(session: Session, person: Person) -> None:
    service.forget(session, person.user_id, person.email)


PERSONAL_DATA = PersonalData("mails", _export, _erase)

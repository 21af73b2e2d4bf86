"""Every query on tickets."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from stockroom.stream.models import StreamTicket


class Holder(NamedTuple):
    """On whose behalf a ticket lets in."""

    session_id: UUID
    user_id: UUID


def take(session: Session, digest: str, moment: datetime) -> Holder | None:
    """Use up a ticket; of several who try at once, one has it."""
    statement = (
        delete(StreamTicket)
        .where(StreamTicket.digest == digest, StreamTicket.expires_at > moment)
        .returning(StreamTicket.session_id, StreamTicket.user_id)
    )
    row = session.execute(statement).one_or_none()
    return Holder(*row) if row else None


def remove_expired(session: Session, moment: datetime) -> int:
    """Remove tickets that nobody used in time; returns how many."""
    statement = delete(StreamTicket).where(StreamTicket.expires_at <= moment)
    return session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]

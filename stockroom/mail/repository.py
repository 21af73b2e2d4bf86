"""Every query on mails."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from stockroom.mail.models import Mail, MailState

_IS_PENDING = Mail.state == MailState.PENDING


def lock_next_due(session: Session, moment: datetime) -> Mail | None:
    """The mail that has waited longest; nobody else can send it until the transaction ends."""
    return session.scalar(
        select(Mail)
        .where(_IS_PENDING, Mail.due_at <= moment)
        .order_by(Mail.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def lock(session: Session, mail_id: UUID) -> Mail:
    """The mail; waits for whoever is sending it."""
    return session.get_one(Mail, mail_id, with_for_update=True)


def lock_pending(session: Session) -> Sequence[Mail]:
    """All mails that wait; waits for those that are being sent."""
    return session.scalars(select(Mail).where(_IS_PENDING).with_for_update()).all()


def newest(session: Session, state: MailState | None, most: int) -> Sequence[Mail]:
    statement = select(Mail).order_by(Mail.created_at.desc()).limit(most)
    if state is not None:
        statement = statement.where(Mail.state == state)
    return session.scalars(statement).all()


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many mails wait, and since when the oldest does."""
    count, oldest = session.execute(
        select(func.count(), func.min(Mail.created_at)).where(_IS_PENDING)
    ).one()
    return count, oldest


def remove(session: Session, before: datetime, most: int) -> int:
    """Remove mails that are done with; returns how many."""
    old = (
        select(Mail.id)
        .where(Mail.created_at < before, Mail.state != MailState.PENDING)
        .order_by(Mail.created_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    statement = delete(Mail).where(Mail.id.in_(old)).execution_options(synchronize_session=False)
    return session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]


def written_since(
    session: Session, addresses: Sequence[str], template: str, moment: datetime
) -> int:
    """How many mails of a kind were written to any of the addresses."""
    conditions = (Mail.address.in_(addresses), Mail.template == template, Mail.created_at > moment)
    return session.scalars(select(func.count()).where(*conditions)).one()


def written_to(session: Session, user_id: UUID, address: str) -> Sequence[Mail]:
    """Mails about a person's account, wherever they went, and to its address, oldest first."""
    statement = select(Mail).where(_concerns(user_id, address)).order_by(Mail.created_at)
    return session.scalars(statement).all()


def lock_written_to(session: Session, user_id: UUID, address: str) -> Sequence[Mail]:
    """The same mails, but one that is being sent at this moment."""
    statement = select(Mail).where(_concerns(user_id, address))
    return session.scalars(statement.with_for_update(skip_locked=True)).all()


def _concerns(user_id: UUID, address: str) -> ColumnElement[bool]:
    return or_(Mail.user_id == user_id, Mail.address == address)

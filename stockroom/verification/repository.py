"""Every query on mailed tokens, and on requests for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from stockroom.users.models import User
from stockroom.verification.models import MailedToken, MailRequest, Purpose


def put(session: Session, **values: Any) -> None:
    """Keep a token in place of the one that the account had for this purpose."""
    statement = insert(MailedToken).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[MailedToken.user_id, MailedToken.purpose], set_=values
        )
    )


def owner_of(session: Session, purpose: Purpose, digest: str, moment: datetime) -> User | None:
    """Whose account a token is for; None if it is not good (any more)."""
    return session.scalar(
        select(User)
        .join(MailedToken, MailedToken.user_id == User.id)
        .where(*_is_good(purpose, digest, moment))
    )


def take(
    session: Session, purpose: Purpose, digest: str, moment: datetime
) -> tuple[User, MailedToken] | None:
    """Use a token up; of several who try at once, one has it.

    Returns the account, which is locked, and the token; None if it is not good (any more).
    """
    # The account first, as everywhere, and the token with it.
    row = session.execute(
        select(User, MailedToken)
        .join(MailedToken, MailedToken.user_id == User.id)
        .where(*_is_good(purpose, digest, moment))
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    user, token = row
    session.delete(token)
    return user, token


def lock_next_request(session: Session) -> MailRequest | None:
    statement = select(MailRequest).order_by(MailRequest.id).limit(1)
    return session.scalar(statement.with_for_update(skip_locked=True))


def remove_expired(session: Session, moment: datetime) -> int:
    statement = delete(MailedToken).where(MailedToken.expires_at <= moment)
    return session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]


def of_user(session: Session, user_id: UUID) -> Sequence[MailedToken]:
    return session.scalars(select(MailedToken).where(MailedToken.user_id == user_id)).all()


def remove_all(session: Session, user_id: UUID, address: str) -> None:
    """Remove what waits for a person: tokens, and requests for the address, but one that is being
    answered at this moment.
    """
    session.execute(delete(MailedToken).where(MailedToken.user_id == user_id))
    # Whoever answers one waits for the account, and finds it removed.
    requests = select(MailRequest.id).where(MailRequest.address == address)
    theirs = requests.with_for_update(skip_locked=True)
    statement = delete(MailRequest).where(MailRequest.id.in_(theirs))
    session.execute(statement.execution_options(synchronize_session=False))


def _is_good(purpose: Purpose, digest: str, moment: datetime) -> tuple[ColumnElement[bool], ...]:
    """A new password, a new address or the end of the account make a token worthless."""
    is_newer = MailedToken.created_at > User.password_changed_at
    return (
        MailedToken.purpose == purpose,
        MailedToken.digest == digest,
        MailedToken.expires_at > moment,
        MailedToken.address == User.email,
        or_(User.password_changed_at.is_(None), is_newer),
        User.is_active.is_(True),
        User.removed_at.is_(None),
    )

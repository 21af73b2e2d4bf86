"""Every query on sessions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.orm import Session

from stockroom.auth.models import LoginSession
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, LoginSession.id, descending=True)


def role_in_open_session(
    session: Session, session_id: UUID, user_id: UUID, moment: datetime
) -> Role | None:
    """The role of the session's user now; None if the session is over or the user inactive."""
    return session.scalar(
        select(User.role)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id, User.id == user_id, User.is_active, _open(moment))
    )


def lock(session: Session, session_id: UUID) -> Row[tuple[LoginSession, User]] | None:
    """The session, which nobody else can change until the transaction ends, and its user."""
    return session.execute(
        select(LoginSession, User)
        .join(User, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id)
        .with_for_update(of=LoginSession)
    ).one_or_none()


def open_sessions(user_id: UUID, moment: datetime) -> Select[tuple[LoginSession]]:
    return select(LoginSession).where(LoginSession.user_id == user_id, _open(moment))


def end(
    session: Session,
    user_id: UUID,
    moment: datetime,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
) -> Sequence[UUID]:
    """End open sessions of the user: all, only one, or all but one. Returns those ended."""
    statement = update(LoginSession).where(LoginSession.user_id == user_id, _open(moment))
    if only is not None:
        statement = statement.where(LoginSession.id == only)
    if but is not None:
        statement = statement.where(LoginSession.id != but)
    return session.scalars(statement.values(ended_at=moment).returning(LoginSession.id)).all()


def _open(moment: datetime) -> ColumnElement[bool]:
    return LoginSession.ended_at.is_(None) & (LoginSession.expires_at > moment)

"""Every query on sessions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from stockroom.auth.models import LoginSession
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, LoginSession.id, descending=True)


def role_in_open_session(
    session: Session, session_id: UUID, user_id: UUID, moment: datetime
) -> Role | None:
    """The role of the session's user now; None if the session is over."""
    return session.scalar(
        select(User.role)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id, User.id == user_id, *_alive(moment))
    )


def lock_open_session(session: Session, session_id: UUID, moment: datetime) -> LoginSession | None:
    """The session, unless it is over; nobody else can change it until the transaction ends."""
    return session.scalar(
        select(LoginSession)
        .join(User, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id, *_alive(moment))
        .with_for_update(of=LoginSession)
    )


def open_sessions(user_id: UUID, moment: datetime) -> Select[tuple[LoginSession]]:
    return (
        select(LoginSession)
        .join(User, LoginSession.user_id == User.id)
        .where(User.id == user_id, *_alive(moment))
    )


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


def _alive(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    """What holds for a session that can be used, and for its user."""
    begins_late_enough = LoginSession.created_at > User.sessions_void_before
    is_not_void = User.sessions_void_before.is_(None) | begins_late_enough
    return _open(moment), User.is_active.is_(True), is_not_void

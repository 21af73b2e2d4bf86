"""Every query on sessions, and on the keys that sign their tokens."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from stockroom.auth.models import LoginSession, SigningKey
from stockroom.core.context import settings
from stockroom.core.database import row_of, table_of
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.core.sql import batch
from stockroom.core.sql.prepared import Prepared
from stockroom.core.sql.question import Question
from stockroom.users import repository as users
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, LoginSession.id, descending=True)

# Locked until the commit: who gives the account another password or deactivates it waits, and finds
# the session, or was first, and there is none.
_INSERT = insert(table_of(LoginSession)).values(
    user_id=select(User.id)
    .where(*users.is_unchanged(bindparam("account_id"), bindparam("as_changed_at")))
    .with_for_update(read=True)
    .scalar_subquery()
)


class Standing(NamedTuple):
    """What an open session says of its user at this moment."""

    role: Role
    authenticated_at: datetime | None


def standing(session_id: UUID, user_id: UUID, moment: datetime) -> Question[Standing | None]:
    """None if the session is over. It is what every request with a token asks."""
    needs_verified_email = settings().login_needs_verified_email
    return Question(
        lambda: _standing(needs_verified_email=needs_verified_email),
        {"session_id": session_id, "user_id": user_id, "moment": moment},
        lambda rows: Standing(Role(rows[0][0]), rows[0][1]) if rows else None,
    )


@cache
def _standing(*, needs_verified_email: bool) -> Prepared:
    alive = _alive(
        bindparam("moment", type_=DateTime(timezone=True)),
        needs_verified_email=needs_verified_email,
    )
    return Prepared(
        select(User.role, LoginSession.authenticated_at)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(LoginSession.id == bindparam("session_id"), User.id == bindparam("user_id"), *alive),
        is_brief=True,
    )


def add(session: Session, login: LoginSession, password_changed_at: datetime | None) -> None:
    """Add the session of an account that is active and has the password of that moment. If there is
    none, the transaction fails, and the error is ``BadCredentials``.
    """
    row = row_of(login)
    account = {"account_id": row.pop("user_id"), "as_changed_at": password_changed_at}
    batch.leave(session, _INSERT, row | account)


def lock_open_session(session: Session, session_id: UUID, moment: datetime) -> LoginSession | None:
    """The session, unless it is over; nobody else can change it until the transaction ends."""
    return session.scalar(
        select(LoginSession)
        .join(User, LoginSession.user_id == User.id)
        .where(LoginSession.id == session_id, *_usable(moment))
        .with_for_update(of=LoginSession)
    )


def open_sessions(user_id: UUID, moment: datetime) -> Select[tuple[LoginSession]]:
    return (
        select(LoginSession)
        .join(User, LoginSession.user_id == User.id)
        .where(User.id == user_id, *_usable(moment))
    )


def all_sessions(session: Session, user_id: UUID) -> Sequence[LoginSession]:
    """Those that are over as well, newest first."""
    statement = select(LoginSession).where(LoginSession.user_id == user_id)
    return session.scalars(statement.order_by(LoginSession.created_at.desc())).all()


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


def remove_all(session: Session, user_id: UUID) -> None:
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def signing_keys(session: Session) -> Sequence[SigningKey]:
    """All there ever were, in the order in which they were made."""
    return session.scalars(select(SigningKey).order_by(SigningKey.id)).all()


def lock_signing_keys(session: Session) -> None:
    """Let nobody else change the keys until the transaction ends."""
    session.execute(text("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE"))


def retire_keys(session: Session, moment: datetime, expires_at: datetime) -> None:
    """Retire all keys; none verifies longer than it already had to, or than until then."""
    session.execute(
        update(SigningKey).values(
            retired_at=func.coalesce(SigningKey.retired_at, moment),
            # LEAST leaves out what is null.
            expires_at=func.least(SigningKey.expires_at, expires_at),
        )
    )


def remove_ended_before(session: Session, moment: datetime) -> int:
    """Remove sessions that were over at that moment; returns how many."""
    over_at = func.coalesce(LoginSession.ended_at, LoginSession.expires_at)
    statement = delete(LoginSession).where(over_at < moment)
    return session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]


def _open(moment: datetime) -> ColumnElement[bool]:
    return LoginSession.ended_at.is_(None) & (LoginSession.expires_at > moment)


def _usable(moment: datetime) -> list[ColumnElement[bool]]:
    return _alive(moment, needs_verified_email=settings().login_needs_verified_email)


def _alive(moment: Any, *, needs_verified_email: bool) -> list[ColumnElement[bool]]:
    """What holds for a session that can be used, and for its user."""
    begins_late_enough = LoginSession.created_at > User.sessions_void_before
    is_not_void = User.sessions_void_before.is_(None) | begins_late_enough
    conditions = [_open(moment), User.is_active.is_(True), is_not_void]
    if needs_verified_email:
        conditions.append(User.email_verified_at.is_not(None))
    return conditions

"""Every query on accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, inspect, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from stockroom.core.addresses import likely_address
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.users.errors import UserNotFound
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, User.id, descending=True)


def get(session: Session, user_id: UUID, *, lock: bool = False) -> User:
    """:raises UserNotFound: if there is none."""
    user = session.get(User, user_id, with_for_update=lock or None)
    if user is None or user.removed_at is not None:
        raise UserNotFound
    return user


def find(session: Session, user_id: UUID) -> User | None:
    """None if there is no such account, or not any more."""
    user = session.get(User, user_id)
    return user if user and user.removed_at is None else None


def find_by_email(session: Session, email: str, *, lock: bool = False) -> User | None:
    statement = select(User).where(*has_email(likely_address(email)))
    return session.scalar(statement.with_for_update() if lock else statement)


def has_email(email: Any) -> tuple[ColumnElement[bool], ...]:
    """What holds for the account with this address, a value or an expression."""
    return User.email == email, User.removed_at.is_(None)


def add_unless_taken(session: Session, user: User) -> bool:
    """Add a new account; returns False if its address has one, and then does nothing."""
    values = {column.key: getattr(user, column.key) for column in inspect(User).column_attrs}
    statement = insert(User).values(values).on_conflict_do_nothing(index_elements=[User.email])
    return session.execute(statement.returning(User.id)).one_or_none() is not None


def matching(
    *, q: str | None = None, role: Role | None = None, is_active: bool | None = None
) -> Select[tuple[User]]:
    """Accounts with ``q`` anywhere in address or name, and with this role and state."""
    statement = select(User).where(User.removed_at.is_(None))
    if q:
        statement = statement.where(
            or_(
                User.email.icontains(q, autoescape=True),
                User.full_name.icontains(q, autoescape=True),
            )
        )
    if role is not None:
        statement = statement.where(User.role == role)
    if is_active is not None:
        statement = statement.where(User.is_active == is_active)
    return statement


def has_administrator(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(User.role == Role.ADMIN))))


def administrators(session: Session) -> Sequence[User]:
    """Those that are active, to write to."""
    statement = select(User).where(User.role == Role.ADMIN, User.is_active)
    return session.scalars(statement.order_by(User.id)).all()


def lock_administrators(session: Session) -> Sequence[UUID]:
    """The active administrators; their rows stay as they are until the transaction ends."""
    # In key order: two changes of administrators at once would otherwise deadlock.
    return session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.is_active)
        .order_by(User.id)
        .with_for_update()
    ).all()


def lock_next_to_forget(session: Session, removed_before: datetime) -> User | None:
    """The account that was removed first and not looked at again since; nobody else can."""
    return session.scalar(
        select(User)
        .where(User.forgotten_at.is_(None), User.removed_at < removed_before)
        .order_by(User.removed_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def lock_unchanged(
    session: Session, user_id: UUID, password_changed_at: datetime | None
) -> User | None:
    """The account, if nothing keeps it from opening sessions (``is_unchanged``); locked until the
    transaction ends.
    """
    statement = select(User).where(*is_unchanged(user_id, password_changed_at))
    return session.scalar(statement.with_for_update())


def is_unchanged(user_id: Any, password_changed_at: Any) -> tuple[ColumnElement[bool], ...]:
    """What holds for an account that is active and still has the password that it was read with.

    By the time of its change: what goes wrong with a statement, the server writes into its log, and
    no hash is to stand there.
    """
    same_password = User.password_changed_at.is_not_distinct_from(password_changed_at)
    return User.id == user_id, same_password, User.is_active.is_(True)

"""Every query on accounts."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, inspect, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from stockroom.core.addresses import likely_address
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.core.prepared import Prepared
from stockroom.users.errors import UserNotFound
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, User.id, descending=True)

_HAS_EMAIL = (User.email == bindparam("email"), User.removed_at.is_(None))
_BY_EMAIL = select(User).where(*_HAS_EMAIL)
# What every login sends: written once, which saves it time.
_CREDENTIALS = Prepared(
    select(
        User.id,
        User.password_hash,
        User.is_active,
        User.email_verified_at.is_not(None),
    ).where(*_HAS_EMAIL)
)
_UNCHANGED = (
    select(User)
    .where(
        User.id == bindparam("user_id"),
        User.password_hash == bindparam("password_hash"),
        User.is_active,
    )
    .with_for_update()
)


class Credentials(NamedTuple):
    """What a login is judged by, as it was when the account was read."""

    id: UUID
    password_hash: str
    is_active: bool
    email_verified: bool


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


def find_by_email(session: Session, email: str) -> User | None:
    return session.scalar(_BY_EMAIL, {"email": likely_address(email)})


def credentials_of(email: str) -> Credentials | None:
    """Those of the account with this address; None if nobody has it."""
    row = _CREDENTIALS.first(email=likely_address(email))
    return Credentials(*row) if row else None


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


def addresses_of_administrators(session: Session) -> Sequence[str]:
    """Of those that are active, to write to."""
    statement = select(User.email).where(User.role == Role.ADMIN, User.is_active)
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


def lock_unchanged(session: Session, user: User | Credentials) -> User | None:
    """The account, if it is active and still has this password; locked until the transaction ends.

    :param user: as it was read before.
    """
    values = {"user_id": user.id, "password_hash": user.password_hash}
    return session.scalar(_UNCHANGED, values)

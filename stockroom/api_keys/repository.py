"""Every query on API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from stockroom.api_keys.models import ApiKey
from stockroom.core.context import settings
from stockroom.core.pagination import Keyset
from stockroom.core.permissions import Role
from stockroom.users.models import User

NEWEST_FIRST = Keyset("-created_at", None, ApiKey.id, descending=True)
PATIENCE_MILLISECONDS = 50
"""How long noting a use may wait for somebody who changes the table."""


class Standing(NamedTuple):
    """What a key that is good says of itself and its owner at this moment."""

    key_id: UUID
    user_id: UUID
    role: Role
    scopes: Sequence[str]
    last_used_at: datetime | None


def standing_of_digest(session: Session, digest: str, moment: datetime) -> Standing | None:
    """None if there is no such key (any more), or its owner may not log in."""
    return _standing(session, ApiKey.digest == digest, moment)


def standing_of_id(session: Session, key_id: UUID, moment: datetime) -> Standing | None:
    """None if there is no such key (any more), or its owner may not log in."""
    return _standing(session, ApiKey.id == key_id, moment)


def note_use(session: Session, key_id: UUID, moment: datetime, unless_after: datetime) -> None:
    """Set the time of the last use, unless a later one is known or somebody is at the row."""
    # No wait for a lock, nor for the disk: of a time that is lost, the next request brings another.
    session.execute(
        select(
            func.set_config("lock_timeout", str(PATIENCE_MILLISECONDS), True),
            func.set_config("synchronous_commit", "off", True),
        )
    )
    is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= unless_after)
    free = select(ApiKey.id).where(ApiKey.id == key_id, is_old).with_for_update(skip_locked=True)
    statement = update(ApiKey).where(ApiKey.id == free.scalar_subquery())
    session.execute(
        statement.values(last_used_at=moment).execution_options(synchronize_session=False)
    )


def of_user(user_id: UUID) -> Select[tuple[ApiKey]]:
    return select(ApiKey).where(ApiKey.user_id == user_id)


def with_owners(user_id: UUID | None) -> Select[tuple[ApiKey]]:
    """The keys of one account, or of all, each with its owner."""
    statement = select(ApiKey) if user_id is None else of_user(user_id)
    return statement.options(joinedload(ApiKey.owner, innerjoin=True))


def all_of_user(session: Session, user_id: UUID) -> Sequence[ApiKey]:
    return session.scalars(of_user(user_id).order_by(*NEWEST_FIRST.order_by())).all()


def count_of_user(session: Session, user_id: UUID) -> int:
    keys = of_user(user_id).subquery()
    return session.scalar(select(func.count()).select_from(keys)) or 0


def remove(session: Session, key_id: UUID, user_id: UUID | None) -> ApiKey | None:
    """Take a key away; None if there is none, or it is not the user's."""
    statement = delete(ApiKey).where(ApiKey.id == key_id).returning(ApiKey)
    if user_id is not None:
        statement = statement.where(ApiKey.user_id == user_id)
    return session.scalar(statement)


def remove_all(session: Session, user_id: UUID) -> None:
    session.execute(delete(ApiKey).where(ApiKey.user_id == user_id))


def _standing(session: Session, which: ColumnElement[bool], moment: datetime) -> Standing | None:
    is_open = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > moment)
    row = session.execute(
        select(ApiKey.id, User.id, User.role, ApiKey.scopes, ApiKey.last_used_at)
        .join(User, ApiKey.user_id == User.id)
        .where(which, is_open, *_owner_may_log_in())
    ).one_or_none()
    return Standing(*row) if row else None


def _owner_may_log_in() -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [User.is_active.is_(True), User.removed_at.is_(None)]
    if settings().login_needs_verified_email:
        conditions.append(User.email_verified_at.is_not(None))
    return conditions

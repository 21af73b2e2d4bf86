"""Every query on what a login is judged by."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from stockroom.core.addresses import likely_address
from stockroom.core.permissions import Role
from stockroom.core.sql.prepared import Prepared
from stockroom.second_factor import repository as second_factors
from stockroom.users import repository as users
from stockroom.users.models import User

_OF_EMAIL = Prepared(
    select(
        User.id,
        User.role,
        User.password_hash,
        User.password_changed_at,
        User.is_active,
        User.email_verified_at.is_not(None),
        second_factors.is_enabled(User.id),
    ).where(*users.has_email(bindparam("email")))
)


class Credentials(NamedTuple):
    """Of an account, as they were when it was read."""

    id: UUID
    role: Role
    password_hash: str
    password_changed_at: datetime | None
    is_active: bool
    email_verified: bool
    has_second_factor: bool


def of(email: str) -> Credentials | None:
    """Those of the account with this address; None if nobody has it."""
    row = _OF_EMAIL.first(email=likely_address(email))
    if row is None:
        return None
    user_id, role, *rest = row
    return Credentials(user_id, Role(role), *rest)

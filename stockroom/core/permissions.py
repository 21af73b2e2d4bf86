"""Roles, what each may do, and who is calling."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Permission(StrEnum):
    """What an operation asks for. The value is the name of the scope in the OpenAPI document."""

    ACCOUNT_OWN = "account:own"
    CATALOGUE_EXPORT = "catalogue:export"
    CATALOGUE_WRITE = "catalogue:write"
    USERS_MANAGE = "users:manage"


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


_CUSTOMER = frozenset({Permission.ACCOUNT_OWN})
_STAFF = _CUSTOMER | {Permission.CATALOGUE_EXPORT, Permission.CATALOGUE_WRITE}

PERMISSIONS = {
    Role.CUSTOMER: _CUSTOMER,
    Role.STAFF: _STAFF,
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a request, as the database has it at this moment."""

    user_id: UUID
    session_id: UUID
    role: Role

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]

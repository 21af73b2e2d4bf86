"""Roles, what each may do, and who is calling."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Permission(StrEnum):
    """What an operation asks for. The value is the name of the scope in the OpenAPI document."""

    ACCOUNT_OWN = "account:own"
    CATALOGUE_EXPORT = "catalogue:export"
    CATALOGUE_WRITE = "catalogue:write"
    EVENTS_FOLLOW = "events:follow"
    """The public events: on what everybody may see."""
    EVENTS_READ = "events:read"
    """All events, which are the audit log as well."""
    USERS_MANAGE = "users:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


_CUSTOMER = frozenset({Permission.ACCOUNT_OWN, Permission.EVENTS_FOLLOW})
_STAFF = _CUSTOMER | {
    Permission.CATALOGUE_EXPORT,
    Permission.CATALOGUE_WRITE,
    Permission.EVENTS_READ,
}

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

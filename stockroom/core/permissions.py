"""Roles, what each may do, and who is calling."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Permission(StrEnum):
    """What an operation asks for. The value is the name of the scope in the OpenAPI document."""

    ACCOUNT_OWN = "account:own"
    """The own account, as far as it opens no door: to read it, and to change the name."""
    ACCOUNT_SECURE = "account:secure"
    """What opens and closes doors: sessions, passwords, second factors, keys. For people who have
    logged in; no API key has it, or whoever finds one could make others."""
    AUDIT_READ = "audit:read"
    """Where an event came from: the address and the session."""
    CATALOGUE_EXPORT = "catalogue:export"
    CATALOGUE_WRITE = "catalogue:write"
    EVENTS_FOLLOW = "events:follow"
    """The public events: on what everybody may see."""
    EVENTS_READ = "events:read"
    """All events, which are the audit log as well."""
    RESERVATIONS_WRITE = "reservations:write"
    """To reserve, and to read and end what is reserved: by oneself; for staff, by anybody."""
    STOCK_READ = "stock:read"
    """The ledger, its history, what runs low, and where goods lie."""
    STOCK_WRITE = "stock:write"
    USERS_MANAGE = "users:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


_CUSTOMER = frozenset(
    {
        Permission.ACCOUNT_OWN,
        Permission.ACCOUNT_SECURE,
        Permission.EVENTS_FOLLOW,
        Permission.RESERVATIONS_WRITE,
    }
)
_STAFF = _CUSTOMER | {
    Permission.CATALOGUE_EXPORT,
    Permission.CATALOGUE_WRITE,
    Permission.EVENTS_READ,
    Permission.STOCK_READ,
    Permission.STOCK_WRITE,
}

PERMISSIONS = {
    Role.CUSTOMER: _CUSTOMER,
    Role.STAFF: _STAFF,
    Role.ADMIN: frozenset(Permission),
}

SCOPES = frozenset(Permission) - {Permission.ACCOUNT_SECURE}
"""What an API key can be given."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a request, as the database has it at this moment.

    :ivar session_id: the session of a person who has logged in; None for an API key.
    :ivar authenticated_at: when that person last gave the password.
    :ivar key_id: the API key; None for a person.
    :ivar scopes: all that the key may do of what its owner may.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    key_id: UUID | None = None
    scopes: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        is_in_scope = self.scopes is None or permission in self.scopes
        return is_in_scope and permission in PERMISSIONS[self.role]

"""What can be done with accounts."""

from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.core.versions import ANY_VERSION, ExpectedVersion
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.users import repository
from stockroom.users.errors import LastAdministrator, UserNotFound
from stockroom.users.models import User
from stockroom.users.passwords import hash_password


class UserChanges(TypedDict, total=False):
    email: str
    full_name: str | None
    role: Role
    is_active: bool


class UserFilters(TypedDict, total=False):
    q: str
    role: Role
    is_active: bool


def create(
    *, email: str, password: str, full_name: str | None = None, role: Role = Role.CUSTOMER
) -> User:
    """Make an account for somebody.

    :raises EmailTaken: if the address has an account.
    """
    user = _new(email, password, full_name, role)
    with transaction() as session:
        session.add(user)
        record(session, EventType.USER_CREATED, user.id, _state(user))
    return user


def register(*, email: str, password: str, full_name: str | None = None) -> User:
    """Make a customer's account at the wish of its owner.

    :raises EmailTaken: if the address has an account.
    """
    user = _new(email, password, full_name, Role.CUSTOMER)
    with transaction() as session:
        session.add(user)
        record(session, EventType.USER_REGISTERED, user.id, _state(user))
    return user


def get(user_id: UUID) -> User:
    """:raises UserNotFound: if there is none."""
    with reading() as session:
        return repository.get(session, user_id)


def get_by_email(email: str) -> User:
    """:raises UserNotFound: if nobody has the address."""
    with reading() as session:
        user = repository.find_by_email(session, email)
    if user is None:
        raise UserNotFound(f"Nobody has the address {email}.")
    return user


def has_administrator() -> bool:
    with reading() as session:
        return repository.has_administrator(session)


def search(filters: UserFilters, page: PageRequest) -> Page[User]:
    """Newest first."""
    with reading() as session:
        statement = repository.matching(**filters)
        return read_page(session, statement, repository.NEWEST_FIRST, page)


def change(user_id: UUID, changes: UserChanges, expected: ExpectedVersion = ANY_VERSION) -> User:
    """Change an account.

    :raises UserNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    :raises EmailTaken: if another account has the new address.
    :raises LastAdministrator: if no active administrator would be left.
    """
    with transaction() as session:
        # Before the account itself: two who demote each other would otherwise deadlock.
        is_weighty = not changes.keys().isdisjoint({"role", "is_active"})
        administrators = repository.lock_administrators(session) if is_weighty else ()
        user = _locked(session, user_id, expected)
        if user.is_active and not changes.get("is_active", True):
            user.sessions_void_before = now()
        changed = [name for name, value in changes.items() if getattr(user, name) != value]
        for name in changed:
            setattr(user, name, changes[name])  # type: ignore[literal-required]
        if changed:
            record(session, EventType.USER_UPDATED, user.id, _state(user) | {"changed": changed})
        if administrators == [user.id] and not (user.role is Role.ADMIN and user.is_active):
            raise LastAdministrator
    return user


def remove(user_id: UUID, expected: ExpectedVersion = ANY_VERSION) -> None:
    """Remove an account with all its sessions.

    :raises UserNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    :raises LastAdministrator: if no active administrator would be left.
    """
    with transaction() as session:
        administrators = repository.lock_administrators(session)
        user = _locked(session, user_id, expected)
        if administrators == [user.id]:
            raise LastAdministrator
        session.delete(user)
        record(session, EventType.USER_REMOVED, user.id, _state(user))


def _new(email: str, password: str, full_name: str | None, role: Role) -> User:
    return User(
        id=new_id(),
        email=email,
        full_name=full_name,
        password_hash=hash_password(password),
        role=role,
        is_active=True,
    )


def _state(user: User) -> dict[str, Any]:
    return {"role": user.role.value, "is_active": user.is_active}


def _locked(session: Session, user_id: UUID, expected: ExpectedVersion) -> User:
    user = repository.get(session, user_id, lock=True)
    expected.check(user)
    return user

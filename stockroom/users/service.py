"""What can be done with accounts."""

from datetime import timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.database import new_id, now
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import Role
from stockroom.core.personal_data import Person, bound_personal_data
from stockroom.core.transaction import reading, retried, transaction
from stockroom.core.versions import ANY_VERSION, ExpectedVersion
from stockroom.mail.service import send
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.users import repository
from stockroom.users.errors import LastAdministrator, UserNotFound
from stockroom.users.models import User
from stockroom.users.passwords import UNUSABLE, hash_password, require_acceptable

SETTLED_AFTER = timedelta(hours=2)
"""So long after a removal, whatever was under way at that moment is over, and mails from before it
count no longer (``mail.service.was_written_often``).
"""


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
    """Make an account for somebody, whose address counts as verified.

    :raises InvalidInput: for a password that is too easy to guess.
    :raises EmailTaken: if the address has an account.
    """
    user = new_user(email, password, full_name, role)
    user.email_verified_at = user.created_at
    with transaction() as session:
        session.add(user)
        record(session, EventType.USER_CREATED, user.id, state_of(user))
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
        if "email" in changed:
            # Whoever may change it vouches for it; the owner is told where mails still arrive.
            send(session, user.email, "users/email_changed", {}, user_id=user.id)
            user.email_verified_at = now()
        for name in changed:
            setattr(user, name, changes[name])  # type: ignore[literal-required]
        if changed:
            record(session, EventType.USER_UPDATED, user.id, state_of(user) | {"changed": changed})
        if administrators == [user.id] and not (user.role is Role.ADMIN and user.is_active):
            raise LastAdministrator
    return user


@retried
def remove(user_id: UUID, expected: ExpectedVersion = ANY_VERSION) -> None:
    """Remove an account, with all that is kept on its owner; what it did keeps its id.

    :raises UserNotFound: if there is none.
    :raises PreconditionFailed: if it has another version than expected.
    :raises LastAdministrator: if no active administrator would be left.
    """
    with transaction() as session:
        administrators = repository.lock_administrators(session)
        user = _locked(session, user_id, expected)
        if administrators == [user.id]:
            raise LastAdministrator
        record(session, EventType.USER_REMOVED, user.id, state_of(user))
        person = Person(user.id, user.email)
        _anonymise(user)
        _forget(session, person)


def forget_removed() -> None:
    """Forget what was kept after all on those who were removed two hours ago: what was under way
    at that moment was not there yet, or in use. One transaction each.
    """
    while _forget_next():
        pass


def export(user_id: UUID) -> dict[str, Any]:
    """All that is kept on the owner of an account, part by part, in values that JSON knows.

    :raises UserNotFound: if there is none.
    """
    with transaction() as session:
        user = repository.get(session, user_id)
        person = Person(user.id, user.email)
        parts = {part.name: part.export(session, person) for part in bound_personal_data()}
        record(session, EventType.USER_EXPORTED, user.id, {})
    return parts


def new_user(
    email: str, password: str, full_name: str | None = None, role: Role = Role.CUSTOMER
) -> User:
    """:raises InvalidInput: for a password that is too easy to guess."""
    require_acceptable(password, email)
    moment = now()
    return User(
        id=new_id(),
        email=email,
        full_name=full_name,
        password_hash=hash_password(password),
        role=role,
        is_active=True,
        version=1,
        created_at=moment,
        updated_at=moment,
    )


def state_of(user: User) -> dict[str, Any]:
    """What events tell of an account."""
    return {"role": user.role.value, "is_active": user.is_active}


def _forget_next() -> bool:
    with transaction() as session:
        user = repository.lock_next_to_forget(session, now() - SETTLED_AFTER)
        if user is None:
            return False
        _forget(session, Person(user.id, user.email))
        user.forgotten_at = now()
    return True


def _forget(session: Session, person: Person) -> None:
    for part in bound_personal_data():
        part.erase(session, person)


def _anonymise(user: User) -> None:
    # Nobody can have an address there (RFC 2606, 2), and so nobody can register it.
    user.email = f"{user.id}@removed.invalid"
    user.full_name = user.email_verified_at = None
    user.password_hash, user.role, user.is_active = UNUSABLE, Role.CUSTOMER, False
    user.removed_at = user.sessions_void_before = now()


def _locked(session: Session, user_id: UUID, expected: ExpectedVersion) -> User:
    user = repository.get(session, user_id, lock=True)
    expected.check(user)
    return user

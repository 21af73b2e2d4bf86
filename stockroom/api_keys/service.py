"""What owners do with their API keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.api_keys import keys, repository
from stockroom.api_keys.errors import ApiKeyNotFound, TooManyApiKeys
from stockroom.api_keys.models import ApiKey
from stockroom.core.context import client_address
from stockroom.core.database import new_id, now
from stockroom.core.errors import InvalidInput
from stockroom.core.pagination import Page, PageRequest, read_page
from stockroom.core.permissions import PERMISSIONS, Caller, Permission, Role
from stockroom.core.transaction import reading, transaction
from stockroom.mail.service import send
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.users import repository as users
from stockroom.users.models import User

MOST_KEYS = 100
LONGEST_YEARS = 5


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, which is shown this once."""

    api_key: ApiKey
    key: str


def create(
    caller: Caller, name: str, scopes: Collection[Permission], expires_at: datetime | None = None
) -> Issued:
    """Make a key that acts for the caller within the scopes; its owner is told by mail.

    :param expires_at: until when it is good; None for as long as nobody revokes it.
    :raises InvalidInput: for a scope that the caller's role has not, or a time that is past or
        too far off.
    :raises TooManyApiKeys: if the account has a hundred keys.
    """
    key, moment = keys.new_key(), now()
    _require_near_future(expires_at, moment)
    with transaction() as session:
        # Under a lock: two that are made at once must not both be the hundredth.
        owner = users.get(session, caller.user_id, lock=True)
        _require_held(owner.role, scopes)
        if repository.count_of_user(session, owner.id) >= MOST_KEYS:
            raise TooManyApiKeys
        api_key = ApiKey(
            id=new_id(),
            user_id=owner.id,
            name=name,
            prefix=key[: keys.SHOWN_CHARACTERS],
            digest=keys.digest(key),
            scopes=sorted(scopes),
            created_at=moment,
            expires_at=expires_at,
        )
        session.add(api_key)
        record(session, EventType.API_KEY_CREATED, api_key.id, _state_of(api_key))
        _tell(session, owner, api_key)
    return Issued(api_key, key)


def list_own(caller: Caller, page: PageRequest) -> Page[ApiKey]:
    """The caller's keys, newest first; those that have expired too."""
    with reading() as session:
        statement = repository.of_user(caller.user_id)
        return read_page(session, statement, repository.NEWEST_FIRST, page)


def list_with_owners(page: PageRequest, user_id: UUID | None = None) -> Page[ApiKey]:
    """The keys of one account, or of all, newest first."""
    with reading() as session:
        statement = repository.with_owners(user_id)
        return read_page(session, statement, repository.NEWEST_FIRST, page)


def revoke_own(caller: Caller, key_id: UUID) -> None:
    """Take one of the caller's keys away: it lets nobody in any more.

    :raises ApiKeyNotFound: if none of them has this id.
    """
    with transaction() as session:
        _revoke(session, key_id, caller.user_id)


def revoke(key_id: UUID) -> ApiKey:
    """Take a key away, whoever owns it.

    :raises ApiKeyNotFound: if there is none.
    """
    with transaction() as session:
        return _revoke(session, key_id)


def revoke_all_within(session: Session, user_id: UUID) -> None:
    """Take all keys of an account away, within a transaction."""
    for api_key in repository.all_of_user(session, user_id):
        _revoke(session, api_key.id)


def _revoke(session: Session, key_id: UUID, user_id: UUID | None = None) -> ApiKey:
    api_key = repository.remove(session, key_id, user_id)
    if api_key is None:
        raise ApiKeyNotFound
    record(session, EventType.API_KEY_REVOKED, api_key.id, _state_of(api_key))
    return api_key


def _require_near_future(expires_at: datetime | None, moment: datetime) -> None:
    if expires_at is None:
        return
    if expires_at <= moment:
        raise InvalidInput({"expires_at": ["Not in the future."]})
    if expires_at > moment + timedelta(days=365 * LONGEST_YEARS):
        raise InvalidInput({"expires_at": [f"More than {LONGEST_YEARS} years away."]})


def _require_held(role: Role, scopes: Collection[Permission]) -> None:
    if missing := sorted(scope for scope in scopes if scope not in PERMISSIONS[role]):
        raise InvalidInput({"scopes": [f"Your role does not have: {', '.join(missing)}."]})


def _state_of(api_key: ApiKey) -> dict[str, object]:
    """What events tell of a key."""
    return {"owner": str(api_key.user_id), "scopes": api_key.scopes}


def _tell(session: Session, owner: User, api_key: ApiKey) -> None:
    expires_at = api_key.expires_at
    params = {
        "name": api_key.name,
        "prefix": api_key.prefix,
        "scopes": ", ".join(api_key.scopes),
        "expires": f"{expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "never",
        "address": client_address.get() or "unknown",
    }
    send(session, owner.email, "api_keys/created", params, user_id=owner.id)

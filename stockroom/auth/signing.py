"""The keys that sign tokens: known by ids, and exchanged while everything runs.

A key is made of JWT_SECRET_KEY and of a salt in the database. Who has only one of them can sign
nothing, and a new JWT_SECRET_KEY voids every token. The first key is JWT_SECRET_KEY itself.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from threading import Lock
from time import monotonic

from stockroom.auth import repository
from stockroom.auth.models import FIRST_KEY_ID, SALT_BYTES, SigningKey
from stockroom.core.context import belongings, settings
from stockroom.core.database import new_id, now
from stockroom.core.transaction import reading, transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType

RELOAD_SECONDS = 5
"""How long a process goes by the keys that it has read."""
SETTLING_SECONDS = 10
"""How old a key is when it begins to sign: by then every process has read it."""
SOONEST_RELOAD_SECONDS = 1
"""How often ids that nobody knows can make a process read the keys."""
_GRACE = timedelta(minutes=1)
"""What a retired key verifies longer than its tokens live: it goes on signing while the new one
settles, and clocks differ.
"""
_KEY = "stockroom.auth.keys"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is used.

    :ivar id: what tokens name in ``kid``.
    :ivar created_at: None for the first key, which is as old as the setting.
    :ivar expires_at: until when it verifies; None as long as it is not retired.
    """

    id: str
    secret: bytes = field(repr=False)
    created_at: datetime | None
    expires_at: datetime | None


class KeyRing:
    """The keys as one process has read them."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._keys: dict[str, Key] = {}
        self._read_at = -inf

    def keys(self, max_age_seconds: float = RELOAD_SECONDS) -> dict[str, Key]:
        """All keys by id, the oldest first.

        :raises Unavailable: if they have to be read and the database does not answer.
        """
        if monotonic() - self._read_at <= max_age_seconds:
            return self._keys
        has_turn = self._turn.acquire(blocking=False)
        try:
            # While one thread reads, the others go on with what is known.
            if has_turn or not self._keys:
                self._keys, self._read_at = _read_keys(), monotonic()
        finally:
            if has_turn:
                self._turn.release()
        return self._keys

    def find(self, key_id: str) -> Key | None:
        """The key, which another process may have made a moment ago."""
        return self.keys().get(key_id) or self.keys(SOONEST_RELOAD_SECONDS).get(key_id)

    def find_here(self, key_id: str) -> Key | None:
        """The key, if those that were read are not too old to go by; nothing is waited for."""
        is_fresh = monotonic() - self._read_at <= RELOAD_SECONDS
        return self._keys.get(key_id) if is_fresh else None

    def forget(self) -> None:
        """Read the keys anew when they are needed next."""
        self._keys, self._read_at = {}, -inf


def key_ring() -> KeyRing:
    """That of the application which is running this code."""
    ring: KeyRing = belongings().setdefault(_KEY, KeyRing())
    return ring


def current_key() -> Key:
    """The key that signs: the newest that every process knows."""
    moment = now()
    living = [key for key in key_ring().keys().values() if _is_good(key, moment)]
    settled_before = moment - timedelta(seconds=SETTLING_SECONDS)
    settled = [key for key in living if not key.created_at or key.created_at <= settled_before]
    return settled[-1] if settled else living[0]


def find_key(key_id: str) -> Key | None:
    """The key that verifies tokens which name it; None if there is none (any more)."""
    return _if_good(key_ring().find(key_id))


def known_key(key_id: str) -> Key | None:
    """The same, without waiting for the database; None as well where that would have to be."""
    return _if_good(key_ring().find_here(key_id))


def list_keys() -> Sequence[SigningKey]:
    """All keys that ever were, the newest first."""
    with reading() as session:
        return repository.signing_keys(session)[::-1] or [_first()]


def rotate(*, revoke: bool = False) -> SigningKey:
    """Make a new key, and retire those before it.

    :param revoke: whether they are void at once. They otherwise verify until the last token that
        they may have signed has expired.
    """
    moment = now()
    key = SigningKey(id=new_id(), salt=secrets.token_bytes(SALT_BYTES), created_at=moment)
    with transaction() as session:
        repository.lock_signing_keys(session)
        if not repository.signing_keys(session):
            session.add(_first())
            session.flush()
        lifetime = timedelta() if revoke else timedelta(days=settings().session_days) + _GRACE
        repository.retire_keys(session, moment, moment + lifetime)
        session.add(key)
        record(session, EventType.SIGNING_KEY_ROTATED, key.id, {"revoked": revoke})
    key_ring().forget()
    return key


def _if_good(key: Key | None) -> Key | None:
    return key if key and _is_good(key, now()) else None


def _is_good(key: Key, moment: datetime) -> bool:
    return key.expires_at is None or key.expires_at > moment


def _read_keys() -> dict[str, Key]:
    with reading() as session:
        stored = repository.signing_keys(session)
    return {row.id.hex: _key(row) for row in stored or [_first()]}


def _key(row: SigningKey) -> Key:
    main = settings().jwt_secret_key.encode()
    secret = main if row.salt is None else hmac.digest(main, row.salt, "sha256")
    return Key(row.id.hex, secret, row.created_at, row.expires_at)


def _first() -> SigningKey:
    """The key of an installation that has never made another one."""
    return SigningKey(id=FIRST_KEY_ID)

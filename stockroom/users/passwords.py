"""Passwords: which are accepted, and how they are hashed, at most as many at once as cores."""

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from stockroom.config import cores
from stockroom.core.context import settings
from stockroom.core.errors import InvalidInput, Unavailable

SHORTEST = 8
LONGEST = 128
LONGEST_WAIT_SECONDS = 10
COMMONEST = 10_000
UNUSABLE = "!"
"""In place of a hash: no password is behind it."""

T = TypeVar("T")


def require_acceptable(password: str, email: str, field: str = "password") -> None:
    """Refuse what is guessed first (NIST SP 800-63B, 3.1.1.2).

    :param field: what the password is called in the request.
    :raises InvalidInput: if it is among the 10,000 commonest, contains the address, or is the
        part of it before the @.
    """
    folded, address = password.casefold(), email.casefold()
    if folded in _commonest():
        raise InvalidInput({field: ["Too common: it is among the first that are guessed."]})
    if address in folded or folded == address.partition("@")[0]:
        raise InvalidInput({field: ["Must not be made of the email address."]})


def hash_password(password: str) -> str:
    hasher = _current()
    return _on_a_core(lambda: hasher.hash(password))


def verify_password(stored_hash: str | None, password: str) -> bool:
    """Whether the password is the one behind the hash.

    Without a hash (nobody has the address) the answer is no, at the same cost: the time must
    not tell which addresses have an account.
    """
    hasher = _current()

    def verify() -> bool:
        # Made for every answer, or the first one to need it would take longer.
        decoy = _decoy(hasher)
        return hasher.verify(stored_hash or decoy, password) and stored_hash is not None

    try:
        return _on_a_core(verify)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored_hash: str) -> bool:
    """Whether the hash was made at another cost than the settings now ask for."""
    hasher = _current()
    return hasher.check_needs_rehash(stored_hash)


def _current() -> PasswordHasher:
    cost = settings()
    return _hasher(cost.password_memory_kib, cost.password_passes, cost.password_lanes)


@lru_cache(maxsize=1)
def _commonest() -> frozenset[str]:
    # Read when it is first needed: it takes a tenth of a second.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    by_frequency: list[str] = FREQUENCY_LISTS["passwords"]
    return frozenset(by_frequency[:COMMONEST])


@lru_cache(maxsize=8)
def _hasher(memory_kib: int, passes: int, lanes: int) -> PasswordHasher:
    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)


@lru_cache(maxsize=8)
def _decoy(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe())


def _on_a_core(work: Callable[[], T]) -> T:
    """Hold one of the cores; more hashes than cores would only slow each other down.

    :raises Unavailable: if none becomes free in time.
    """
    hashing = _threads(settings().processes).submit(work)
    try:
        return hashing.result(LONGEST_WAIT_SECONDS)
    except TimeoutError:
        hashing.cancel()
        raise Unavailable("Too many logins at once.") from None


@lru_cache(maxsize=8)
def _threads(processes: int) -> ThreadPoolExecutor:
    """As many as there are cores for each process.

    They are for hashes alone: the C library keeps the memory of a hash for the thread that has
    asked for it, and each of a server's many threads would hold on to some of its own.
    """
    return ThreadPoolExecutor(max(1, cores() // processes), "passwords")


if hasattr(os, "register_at_fork"):
    # A copy of this process has none of its threads.
    os.register_at_fork(after_in_child=_threads.cache_clear)

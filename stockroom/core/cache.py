"""Answers that many callers share, kept as bytes: in this process, and in Redis for all of them.

No answer is given that is older than ``LONGEST_SECONDS``, and half as old it is renewed. A write
that is committed makes those from before it unreachable, at once in its own process and in Redis,
by moving a stamp; nothing hunts for keys. A reader takes the stamp before it asks the database, so
that an answer from before a write can only be stored under the stamp from before it.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import structlog
from cachelib.serializers import JSONSerializer
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from stockroom.config import Settings
from stockroom.core.context import belongings, settings
from stockroom.core.memory import LONGEST_SECONDS, RENEWED_SECONDS, Answer, Memory
from stockroom.core.metrics import CACHE_BYTES, CACHE_HITS, CACHE_MISSES
from stockroom.core.transaction import after_commit
from stockroom.extensions import cache

log = structlog.get_logger(__name__)

STAMP_SECONDS = 24 * 60 * 60
PATIENCE_SECONDS = 1.0
"""How long a reader waits for another one who reads the same; then it reads as well."""
_STAMP = "stamp"
_HITS_HERE = CACHE_HITS.labels("process")
_HITS_IN_REDIS = CACHE_HITS.labels("shared")
_KEY = "stockroom.memory"


class _Json(JSONSerializer):
    """JSON in Redis: a pickle would let whoever can write there run code here."""

    def loads(self, bvalue: Any, *args: Any, **kwargs: Any) -> Any:
        # Redis answers None for a key that it does not have.
        return None if bvalue is None else super().loads(bvalue, *args, **kwargs)


def init_app(app: Flask, settings: Settings) -> None:
    """Keep answers in this process, and in Redis if there is one."""
    app.extensions[_KEY] = Memory()
    shared: dict[str, Any] = {"CACHE_TYPE": "NullCache", "CACHE_NO_NULL_WARNING": True}
    if settings.redis_url:
        shared = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": settings.redis_url,
            "CACHE_SERIALIZER": _Json(),
            "CACHE_OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    cache.init_app(app, {**shared, "CACHE_KEY_PREFIX": "stockroom:cache:"})


def memory() -> Memory:
    """That of the application which is running this code."""
    memory: Memory = belongings()[_KEY]
    return memory


def memory_of(app: Flask) -> Memory:
    """That of an application, for whom does not run within it."""
    memory: Memory = app.extensions[_KEY]
    return memory


def answer(address: str, make: Callable[[], Answer]) -> Answer:
    """The kept answer to an address, or else the one that ``make`` reads.

    Of many who ask at once, one reads.
    """
    if (found := _kept(address)) is not None:
        return found
    with _turn(memory().turn(address)):
        if (found := _kept(address)) is not None:
            return found
        if is_shared(address):
            return _shared(address, make)
        return _read(address, make)[0]


@dataclass(frozen=True, slots=True)
class Reading:
    """One that has begun: what comes of it is kept for others, unless there was a write since."""

    address: str
    read_at: float
    generation: int

    def may_share(self, other: "Reading") -> bool:
        """Whether what comes of another one that began before is good for this one as well."""
        is_young = self.read_at - other.read_at <= LONGEST_SECONDS
        return is_young and self.generation == other.generation

    def keep(self, new: Answer) -> None:
        CACHE_MISSES.inc()
        _keep(self.address, new, self.read_at, self.generation)


def reading(address: str) -> Reading:
    """To be called before the database is asked."""
    return Reading(address, time.time(), memory().generation)


def is_shared(address: str) -> bool:
    """Whether Redis is asked before the database.

    For what is asked for often alone; for the rest it would be in the way.
    """
    return bool(settings().redis_url) and memory().is_hot(address)


def changed(session: Session) -> None:
    """Make all answers unreachable once the session's transaction is committed."""
    after_commit(session, _move_on)


def at_hand(address: str) -> Answer | None:
    """The answer that this process keeps; None as well for the one who is to have it renewed."""
    return _counted(memory().at_hand(address))


def _kept(address: str) -> Answer | None:
    return _counted(memory().get(address))


def _counted(found: Answer | None) -> Answer | None:
    if found is not None:
        _HITS_HERE.inc()
    return found


def _read(address: str, make: Callable[[], Answer]) -> tuple[Answer, float]:
    begun = reading(address)
    new = make()
    begun.keep(new)
    return new, begun.read_at


def _keep(address: str, new: Answer, read_at: float, generation: int) -> None:
    memory().keep(address, new, read_at, generation)
    CACHE_BYTES.set(memory().bytes)


def _shared(address: str, make: Callable[[], Answer]) -> Answer:
    generation = memory().generation
    key = hashlib.sha256(address.encode("latin-1", "replace")).hexdigest()
    stamp, stored = _try("get_many", _STAMP, key) or (None, None)
    if stored is not None:
        of_stamp, read_at, body, etag, link = stored
        if of_stamp == stamp and 0 <= time.time() - read_at <= RENEWED_SECONDS:
            found = Answer(body.encode(), etag, link)
            _HITS_IN_REDIS.inc()
            _keep(address, found, read_at, generation)
            return found
    stamp = stamp or _new_stamp()
    new, read_at = _read(address, make)
    entry = (stamp, read_at, new.body.decode(), new.etag, new.link)
    _try("set", key, entry, timeout=int(LONGEST_SECONDS))
    return new


def _move_on() -> None:
    # Redis first: what this process reads from there in its new generation is new as well.
    if settings().redis_url:
        _new_stamp()
    memory().move_on()


def _new_stamp() -> str:
    stamp = secrets.token_hex(8)
    _try("set", _STAMP, stamp, timeout=STAMP_SECONDS)
    return stamp


@contextmanager
def _turn(lock: Lock) -> Iterator[None]:
    # Not for ever: with the database away, each would wait for all before it.
    is_held = lock.acquire(timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        if is_held:
            lock.release()


def _try(method: str, *args: Any, **kwargs: Any) -> Any:
    """Ask Redis; without it each process goes by its own memory, and that is all right."""
    try:
        return getattr(cache, method)(*args, **kwargs)
    except (RedisError, OSError) as error:
        log.warning("cache away", reason=str(error))
        return None

"""Answers that many callers share, kept as bytes under a stamp that every write moves.

A write makes older answers unreachable by moving the stamp of their namespace after its
commit; nothing hunts for keys. A reader takes the stamp before it asks the database, so that
an answer from before a write can only be stored under the stamp from before it. If the move
is lost with Redis, an answer is still never served longer than ``LONGEST_SECONDS``.
"""

import hashlib
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from cachelib.serializers import JSONSerializer
from flask import Flask, Response, current_app, g, request
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from stockroom.config import Settings
from stockroom.core.identity import caller_may
from stockroom.core.permissions import Permission
from stockroom.core.transaction import after_commit
from stockroom.extensions import cache

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 1
STAMP_SECONDS = 24 * 60 * 60


class _Json(JSONSerializer):
    """JSON in Redis: a pickle would let whoever can write there run code here."""

    def loads(self, bvalue: Any, *args: Any, **kwargs: Any) -> Any:
        # Redis answers None for a key that it does not have.
        return None if bvalue is None else super().loads(bvalue, *args, **kwargs)


def init_app(app: Flask, settings: Settings) -> None:
    """Keep answers in Redis if there is one, else in this process."""
    if settings.redis_url:
        store: dict[str, Any] = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": settings.redis_url,
            "CACHE_SERIALIZER": _Json(),
            "CACHE_OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    else:
        store = {"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 2000}
    cache.init_app(app, {**store, "CACHE_KEY_PREFIX": "stockroom:cache:"})


def answer_from_cache(namespace: str, make: Callable[[], Response]) -> Response:
    """The kept answer to this request, or else the one that ``make`` gives.

    Callers who may write the catalogue always get a fresh one.
    """
    if caller_may(Permission.CATALOGUE_WRITE):
        return make()
    # Decoded, a path may hold a question mark of its own; with a NUL it has no answer to keep.
    address = f"{request.path}\0{request.query_string.decode('latin-1')}"
    key = f"{namespace}:{_stamp(namespace)}:{_digest(address)}"
    kept = _try("get", key)
    if kept is not None:
        return _revived(kept)
    response = make()
    if response.status_code == 200:  # noqa: PLR2004 - the status itself
        _try("set", key, _preserved(response), timeout=LONGEST_SECONDS)
    return response


def changed(session: Session, namespace: str) -> None:
    """Make the namespace's answers unreachable once the session's transaction is committed."""
    after_commit(session, partial(_move_stamp, namespace))


def _stamp(namespace: str) -> str:
    return _try("get", f"stamp:{namespace}") or _move_stamp(namespace)


def _move_stamp(namespace: str) -> str:
    stamp = secrets.token_hex(8)
    _try("set", f"stamp:{namespace}", stamp, timeout=STAMP_SECONDS)
    return stamp


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _preserved(response: Response) -> tuple[str, str | None, str | None]:
    return response.get_data(as_text=True), g.get("etag"), response.headers.get("Link")


def _revived(kept: tuple[str, str | None, str | None]) -> Response:
    body, etag, link = kept
    response = current_app.response_class(body, mimetype="application/json")
    if etag:
        g.etag = etag
    if link:
        response.headers["Link"] = link
    return response


def _try(method: str, *args: Any, **kwargs: Any) -> Any:
    """Ask the cache; without Redis there is none, and that is all right."""
    try:
        return getattr(cache, method)(*args, **kwargs)
    except (RedisError, OSError) as error:
        log.warning("cache away", reason=str(error))
        return None

"""How many requests a caller may make, and the headers that tell how many are left."""

import time

import structlog
from flask import Flask, Response, request
from flask_limiter.util import get_remote_address
from redis.exceptions import RedisError

from stockroom.config import Settings
from stockroom.core.context import settings as current_settings
from stockroom.core.errors import Unavailable
from stockroom.core.identity import MALFORMED_TOKEN, sent_token
from stockroom.core.key_header import API_KEY, key_finder
from stockroom.core.networks import network_of
from stockroom.core.token_header import token_finder
from stockroom.extensions import limiter

log = structlog.get_logger(__name__)

# A Redis that does not answer at once is treated as away: a limit is not worth waiting for.
_REDIS_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS=_REDIS_OPTIONS if settings.redis_url else {},
        RATELIMIT_STRATEGY="moving-window",
        # The limiter keeps the first application's text; a function serves each its own.
        RATELIMIT_DEFAULT=lambda: current_settings().rate_limit,
        RATELIMIT_KEY_FUNC=_caller_key,
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        # Of two requests that find Redis gone at once, the fallback serves the first alone.
        RATELIMIT_SWALLOW_ERRORS=True,
    )
    limiter.init_app(app)
    app.after_request(_tell)


def _caller_key() -> str:
    """The API key, or the account whose token the request carries, else its address.

    Whether the session still lives is not asked here: a limit is no permission.
    """
    key_id = key_finder().known_id(request.headers.get(API_KEY, ""))
    if key_id is not None:
        return str(key_id)
    return _account_key(sent_token()) or address_key()


def _account_key(token: str | None) -> str | None:
    """The account of a good token."""
    if token is None:
        return None
    try:
        return str(token_finder().verified(token).claims["sub"])
    except (*MALFORMED_TOKEN, Unavailable):
        return None


def address_key() -> str:
    """The network that the caller's address belongs to."""
    return network_of(get_remote_address())


def _tell(response: Response) -> Response:
    """Add the RateLimit headers; with 429, Retry-After as well. Seconds, not times of day."""
    limit = limiter.current_limit
    if limit is None:
        return response
    try:
        seconds = max(0, round(limit.reset_at - time.time()))
        response.headers["RateLimit-Remaining"] = str(limit.remaining)
    except (RedisError, OSError) as error:
        log.warning("limits away", reason=str(error))
        return response
    response.headers["RateLimit-Limit"] = str(limit.limit.amount)
    response.headers["RateLimit-Reset"] = str(seconds)
    if response.status_code == 429:  # noqa: PLR2004 - the status itself
        # A login that was refused for a reason of its own says itself how long to wait.
        response.headers.setdefault("Retry-After", str(max(1, seconds)))
    return response

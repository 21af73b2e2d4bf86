"""How many requests a caller may make, and the headers that tell how many are left."""

import time
from collections.abc import Sequence
from functools import lru_cache

import structlog
from flask import Flask, Response, current_app, g, request
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse_many
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from stockroom.config import Settings
from stockroom.core.callers.identity import MALFORMED_TOKEN, sent_token
from stockroom.core.callers.key_header import API_KEY, key_finder
from stockroom.core.callers.networks import network_of
from stockroom.core.callers.token_header import token_finder
from stockroom.core.context import belongings
from stockroom.core.context import settings as current_settings
from stockroom.core.errors import Unavailable
from stockroom.core.limits import counts
from stockroom.core.limits.hot import Allowance
from stockroom.extensions import limiter

log = structlog.get_logger(__name__)

# A Redis that does not answer at once is treated as away: a limit is not worth waiting for.
_REDIS_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
_KEY = "stockroom.default_limits"
_OWN = "own_limits"


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
    app.extensions[_KEY] = {}
    limiter.init_app(app)
    app.after_request(_tell)


def hold_to(limits: str) -> None:
    """Have flask-limiter's next look at the request find limits of its view's own, by address."""
    setattr(g, _OWN, limits)


@limiter.request_filter
def _is_counted() -> bool:
    """Count the request here, in one call of Redis; flask-limiter then leaves it be.

    It is flask-limiter that refuses what the limits forbid, and that counts while Redis is away.
    """
    storage, endpoint = limiter.limiter.storage, request.endpoint or ""
    own = g.pop(_OWN, None)
    if not isinstance(storage, RedisStorage):
        return False
    if own:
        limits, caller = _parsed(own), address_key()
    elif limits := _default_limits(endpoint):
        caller = _caller_key()
    else:
        return False
    window = counts.hit(storage, limits, caller, endpoint)
    if window is None:
        return False
    # To the next whole second, as flask-limiter has it: nobody is to come back too early.
    g.allowance = Allowance(limits[0].amount, window.remaining, int(window.reset_time + 1))
    return True


@lru_cache(maxsize=32)
def _parsed(limits: str) -> Sequence[RateLimitItem]:
    """Tightest first."""
    return sorted(parse_many(limits))


def _default_limits(endpoint: str) -> Sequence[RateLimitItem]:
    """Those that hold where no others do, tightest first; none for an endpoint with others."""
    known: dict[str, Sequence[RateLimitItem]] = belongings()[_KEY]
    if endpoint not in known:
        of_all, own = limiter.limit_manager.resolve_limits(current_app, endpoint, request.blueprint)
        known[endpoint] = () if own else sorted(it.limit for it in of_all)
    return known[endpoint]


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
    try:
        allowance = g.get("allowance") or _allowance_of_others()
    except (RedisError, OSError) as error:
        log.warning("limits away", reason=str(error))
        return response
    if allowance is None:
        return response
    seconds = max(0, round(allowance.reset_at - time.time()))
    response.headers.extend(
        {
            "RateLimit-Limit": str(allowance.limit),
            "RateLimit-Remaining": str(allowance.remaining),
            "RateLimit-Reset": str(seconds),
        }
    )
    if response.status_code == 429:  # noqa: PLR2004 - the status itself
        # A login that was refused for a reason of its own says itself how long to wait.
        response.headers.setdefault("Retry-After", str(max(1, seconds)))
    return response


def _allowance_of_others() -> Allowance | None:
    """What is left where flask-limiter has counted; None where nothing is limited."""
    limit = limiter.current_limit
    return Allowance(limit.limit.amount, limit.remaining, limit.reset_at) if limit else None

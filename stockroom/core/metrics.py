"""What Prometheus may ask about this installation: requests, cache, limits, connections.

Under gunicorn every worker keeps its counts in files of a folder that ``gunicorn.conf.py`` makes,
and whichever is asked adds up all of them. Any other process tells of itself alone.
"""

import hmac
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address

from flask import Blueprint, Flask, Response, request
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MutexValue, ValueClass
from sqlalchemy.pool import QueuePool

from stockroom.core.callers.networks import plain_address
from stockroom.core.context import settings
from stockroom.core.countfile import CountFile
from stockroom.core.errors import NotFound, Unauthenticated
from stockroom.extensions import db, limiter

_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
_IS_SHARED = ValueClass is not MutexValue
# Before the first metric, which begins a file.
values.MmapedDict = CountFile  # type: ignore[attr-defined,assignment]

REQUEST_SECONDS = Histogram(
    "stockroom_http_request_duration_seconds",
    "How long requests took until their answer began.",
    ("method", "endpoint", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RATE_LIMITED = Counter(
    "stockroom_http_rate_limited_requests", "Requests that were answered with 429.", ("endpoint",)
)
CACHE_HITS = Counter(
    "stockroom_cache_hits",
    "Answers from the cache: of this process, or the one that all processes share.",
    ("layer",),
)
CACHE_MISSES = Counter(
    "stockroom_cache_misses", "Answers that the cache did not have, and that were made."
)
CACHE_BYTES = Gauge(
    "stockroom_cache_bytes",
    "Bytes of answers in the caches of the processes.",
    multiprocess_mode="livesum",
)
DATABASE_CONNECTIONS = Gauge(
    "stockroom_database_connections_in_use",
    "Connections to the database that requests and jobs hold.",
    multiprocess_mode="livesum",
)

blueprint = Blueprint("metrics", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    limiter.exempt(blueprint)


def count_request(method: str, endpoint: str | None, status: int, seconds: float) -> None:
    """Count a request that was answered.

    :param endpoint: Flask's name of the view; None where no view has the address.
    """
    _observer(method, endpoint, status)(seconds)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        RATE_LIMITED.labels(endpoint or "none").inc()


# To find the series by its labels costs as much as to count in it.
@lru_cache(maxsize=4096)
def _observer(method: str, endpoint: str | None, status: int) -> Callable[[float], None]:
    # A client can call a method what it likes, and must not make series of its own.
    known = method if method in _METHODS else "other"
    return REQUEST_SECONDS.labels(known, endpoint or "none", f"{status // 100}xx").observe


def count_connections() -> None:
    """Look how many connections of the application's pool are in use. It waits for nothing."""
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)  # noqa: S101 - tells the type checker
    DATABASE_CONNECTIONS.set(pool.checkedout())


@blueprint.get("/metrics")
def metrics() -> Response:
    """The metrics of all workers, as text.

    :raises Unauthenticated: without METRICS_TOKEN, where that is set.
    :raises NotFound: for callers from elsewhere, where it is not set.
    """
    _require_reader()
    count_connections()
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _registry() -> CollectorRegistry:
    if not _IS_SHARED:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library left it so
    return registry


def _require_reader() -> None:
    if token := settings().metrics_token:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode("utf-8"), f"Bearer {token}".encode()):
            raise Unauthenticated
    elif not _is_local():
        raise NotFound


def _is_local() -> bool:
    """Whether a program of this machine asks, and for itself: a proxy stands for others."""
    if settings().trusted_proxies or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(plain_address(request.remote_addr or "")).is_loopback
    except ValueError:
        return False

"""Whether the process is alive, and all that it needs is there."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from stockroom.core.context import settings
from stockroom.core.errors import Unavailable
from stockroom.core.hot_reads.at_once import ALIVE
from stockroom.core.sql.poolers import is_direct
from stockroom.core.transaction import reading
from stockroom.extensions import limiter

_KEY = "stockroom.checks"

_ROOM = """
    SELECT sum(setting::int * CASE name WHEN 'max_connections' THEN 1 ELSE -1 END)
    FROM pg_settings
    WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
"""

log = structlog.get_logger(__name__)

blueprint = Blueprint("health", __name__)

Check = Callable[[], str]
"""Returns what it found; raises ``Unready`` with the reason where something is wrong."""


class Unready(Exception):
    """What a part of the system lacks, in words for an operator."""


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    limiter.exempt(blueprint)


def check_database() -> str:
    try:
        with reading() as session:
            version = session.scalar(text("SHOW server_version"))
    except Unavailable:
        raise Unready("does not answer") from None
    return f"PostgreSQL {version}"


def check_letters() -> str:
    """SKUs are unique regardless of case, which takes a database that knows its letters."""
    try:
        with reading() as session:
            is_folding = session.scalar(text("SELECT lower('É') = 'é'"))
            locale = session.scalar(
                text("SELECT datctype FROM pg_database WHERE datname = current_database()")
            )
    except Unavailable:
        raise Unready("cannot be read: the database does not answer") from None
    if not is_folding:
        raise Unready(f"{locale} knows only A to Z: create the database with C.UTF-8 or another")
    return str(locale)


def check_connections() -> str:
    """The server has room for all that the processes of one machine may open."""
    each = settings().connections + settings().loop_connections + 1
    needed = settings().processes * each
    try:
        with reading() as session:
            link = session.connection().connection.driver_connection
            assert link is not None  # noqa: S101 - tells the type checker
            if not is_direct(link):
                return f"up to {needed}, by way of a pooler"
            most = session.scalar(text(_ROOM)) or 0
    except Unavailable:
        raise Unready("cannot be read: the database does not answer") from None
    if needed > most:
        raise Unready(
            f"up to {needed}, and the server has {most}: lower WEB_CONCURRENCY or "
            "DATABASE_POOL_SIZE, or raise max_connections"
        )
    return f"up to {needed} of {most}"


def check_migrations() -> str:
    """The schema is the one that this code was written for."""
    try:
        with reading() as session:
            stored = session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        stored = None
    except Unavailable:
        raise Unready("cannot be read: the database does not answer") from None
    head = migration_head()
    if stored != head:
        raise Unready(f"at {stored or 'none'}, not at {head}: run `flask db upgrade`")
    return f"at {head}"


def check_redis() -> str:
    if not settings().redis_url:
        return "not used"
    try:
        Redis.from_url(settings().redis_url, socket_timeout=1, socket_connect_timeout=1).ping()
    except RedisError:
        raise Unready("does not answer") from None
    return "answers"


def bind_checks(extensions: dict[str, object], of_features: Mapping[str, Check]) -> None:
    extensions[_KEY] = {
        "database": check_database,
        "migrations": check_migrations,
        "redis": check_redis,
        **of_features,
    }


def bound_checks() -> dict[str, Check]:
    """All that has to be as it should, by name: the application's own parts and its features'."""
    checks: dict[str, Check] = current_app.extensions[_KEY]
    return checks


def migration_head() -> str | None:
    """The newest revision among the migrations on disk."""
    return ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()


@blueprint.get(ALIVE)
def healthz() -> ResponseReturnValue:
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 if every check passes, else 503 that names what is wrong."""
    parts, is_ready = {}, True
    for name, check in bound_checks().items():
        try:
            parts[name] = {"ok": True, "found": check()}
        except Unready as reason:
            parts[name] = {"ok": False, "found": str(reason)}
            is_ready = False
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(status="ready" if is_ready else "not ready", checks=parts), status

"""What is wrong with settings: each objection names the setting and says what to do."""

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from limits import parse_many
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from stockroom.currencies import CURRENCIES

if TYPE_CHECKING:
    from stockroom.config import Settings

SHORTEST_SECRET = 32
LEAST_KIB_A_LANE = 8

_LIMITS = (
    "rate_limit",
    "rate_limit_login",
    "rate_limit_refresh",
    "rate_limit_register",
    "rate_limit_mail",
)
# Not asked of the driver: gunicorn's first process reads the settings, and redis-py must not be
# imported before gevent has replaced what it holds on to. It knows others as well, but some of them
# would change what it answers.
REDIS_OPTIONS = {
    "client_name": r"\S+",
    "db": r"\d{1,9}",
    "health_check_interval": r"\d{1,9}",
    "max_connections": r"[1-9]\d{0,8}",
    "password": r".+",
    "protocol": r"[23]",
    "retry_on_timeout": r"\w+",
    "socket_connect_timeout": r"\d{1,9}(\.\d+)?",
    "socket_keepalive": r"\w+",
    "socket_timeout": r"\d{1,9}(\.\d+)?",
    "username": r".+",
}
"""What may stand behind the question mark, and what its value looks like."""
REDISS_OPTIONS = REDIS_OPTIONS | {
    "ssl_ca_certs": r".+",
    "ssl_ca_path": r".+",
    "ssl_cert_reqs": r"none|optional|required",
    "ssl_certfile": r".+",
    "ssl_check_hostname": r"\w+",
    "ssl_ciphers": r".+",
    "ssl_keyfile": r".+",
    "ssl_password": r".+",
}
# flask-cors takes what holds other characters for a regular expression, which matches more
# origins than it seems to.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:\d+)?")


def objections(settings: "Settings") -> Iterator[str]:
    """What makes these settings wrong anywhere."""
    yield from _objections_to_addresses(settings)
    yield from _objections_to_outgoing(settings)
    if settings.processes > 1 and not settings.redis_url:
        yield (
            "WEB_CONCURRENCY is above 1 but REDIS_URL is not set: several processes must share "
            "limits and cache. Set REDIS_URL, or run one process."
        )
    for name in _LIMITS:
        try:
            parse_many(getattr(settings, name))
        except ValueError:
            yield f"{name.upper()} is not a limit such as '10 per minute'"
    if settings.default_currency not in CURRENCIES:
        yield f"DEFAULT_CURRENCY: {settings.default_currency!r} is not a currency such as EUR"
    if settings.password_memory_kib < LEAST_KIB_A_LANE * settings.password_lanes:
        yield f"PASSWORD_MEMORY_KIB must be at least {LEAST_KIB_A_LANE} for each of PASSWORD_LANES"


def _objections_to_outgoing(settings: "Settings") -> Iterator[str]:
    """To how mail and webhooks leave, and to what keeps their secrets."""
    if settings.mail_url and not _is_address(settings.mail_url, {"smtp", "smtps"}):
        yield "MAIL_URL is not an address: write smtp://user:password@host:587, or smtps://"
    elif not unquote(urlsplit(settings.mail_url).netloc.rpartition("@")[0]).isascii():
        # The standard library cannot log in with them.
        yield "MAIL_URL has a user or a password with letters that are not ASCII"
    try:
        sender = Address(addr_spec=parseaddr(settings.mail_from)[1])
        is_sender = bool(sender.domain.encode("idna"))
    except (ValueError, HeaderParseError):
        is_sender = False
    if not is_sender:
        yield "MAIL_FROM is not an address such as Stockroom <stock@shop.example>"
    for network in settings.webhook_networks:
        try:
            ip_network(network)
        except ValueError:
            yield f"WEBHOOK_NETWORKS: {network!r} is not a network such as 10.1.0.0/16"
    for key in settings.encryption_keys:
        try:
            Fernet(key)
        except ValueError:
            yield (
                "ENCRYPTION_KEYS holds what is not a key: give it 32 random bytes, such as "
                "`openssl rand -base64 32 | tr +/ -_` prints."
            )


def _objections_to_addresses(settings: "Settings") -> Iterator[str]:
    yield from _objections_to_database(settings.sqlalchemy_url)
    if settings.redis_url and not _is_address(settings.redis_url, {"redis", "rediss"}):
        yield "REDIS_URL is not an address: write redis://host:6379/0, or rediss:// for TLS"
    else:
        yield from _objections_to_redis_options(urlsplit(settings.redis_url))
    if ":" in settings.host and not re.fullmatch(r"\[.+\]", settings.host):
        yield "HOST: write an address of IPv6 in brackets, such as [::1]"
    if settings.public_url and not _is_address(settings.public_url, {"http", "https"}):
        yield "PUBLIC_URL is not an address such as https://api.shop.example"
    if settings.account_url and not _is_address(settings.account_url, {"http", "https"}):
        yield "ACCOUNT_URL is not an address such as https://shop.example/account"
    for origin in settings.cors_origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            yield f"CORS_ORIGINS: {origin!r} is not an origin such as https://shop.example"


def _objections_to_database(address: str) -> Iterator[str]:
    try:
        url = make_url(address)
        if url.drivername != "postgresql+psycopg2":
            yield "DATABASE_URL must name a PostgreSQL server: postgresql://user:password@host/name"
        elif url.query:
            yield from _objections_to_database_options(url)
    except (ArgumentError, ValueError):
        yield "DATABASE_URL is not an address: write postgresql://user:password@host/name"


def _objections_to_database_options(url: URL) -> Iterator[str]:
    # Only libpq knows them all. Its driver is in C, and holds on to nothing that gevent replaces.
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import make_dsn

    _, options = url.get_dialect()().create_connect_args(url)
    try:
        make_dsn(**options)
    except ProgrammingError as error:
        yield f"DATABASE_URL: {error}"


def _objections_to_redis_options(parts: SplitResult) -> Iterator[str]:
    known = REDISS_OPTIONS if parts.scheme == "rediss" else REDIS_OPTIONS
    for name, value in parse_qsl(parts.query):
        # The value stays untold: it may be a password.
        if name not in known:
            yield f"REDIS_URL: {name!r} is not an option of {parts.scheme}://"
        elif not re.fullmatch(known[name], value):
            yield f"REDIS_URL: the option {name!r} has a value that it cannot have"


def _is_address(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        # A port that is no number shows only when it is asked for.
        return parts.scheme in schemes and bool(parts.netloc) and parts.port != 0
    except ValueError:
        return False


def objections_in_production(settings: "Settings") -> Iterator[str]:
    """What is tolerable while developing, and dangerous in production."""
    if not settings.database_url:
        yield (
            "DATABASE_URL is not set. Name the PostgreSQL server, or set "
            "ENVIRONMENT=development to use a private one."
        )
    for name in ("secret_key", "jwt_secret_key"):
        secret = getattr(settings, name)
        if len(secret) < SHORTEST_SECRET or len(set(secret)) < SHORTEST_SECRET // 4:
            yield (
                f"{name.upper()} is missing or weak: give it at least {SHORTEST_SECRET} random "
                "characters, such as `openssl rand -base64 48` prints."
            )
    if settings.metrics_token and len(settings.metrics_token) < SHORTEST_SECRET:
        yield f"METRICS_TOKEN is weak: give it at least {SHORTEST_SECRET} random characters."
    if not settings.encryption_keys:
        yield (
            "ENCRYPTION_KEYS is missing: give it a key, such as "
            "`openssl rand -base64 32 | tr +/ -_` prints."
        )
    if settings.secret_key and settings.secret_key == settings.jwt_secret_key:
        yield "JWT_SECRET_KEY must differ from SECRET_KEY."
    if settings.login_needs_verified_email and not settings.mail_url:
        yield "LOGIN_NEEDS_VERIFIED_EMAIL needs MAIL_URL: without mails nobody could log in."
    if "*" in settings.cors_origins:
        yield "CORS_ORIGINS must not be '*' in production: name the origins."
    if settings.debug:
        yield "FLASK_DEBUG must be off in production: its debugger runs anyone's code."

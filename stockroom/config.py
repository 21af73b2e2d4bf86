"""Settings: frozen, typed, read once from the environment, refused at start where they are bad.

Only this module reads the environment. The name of a setting in the environment is the
field's name in capitals; ``.env.example`` describes each one.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from limits import parse_many
from marshmallow.validate import Range
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from stockroom.currencies import CURRENCIES

ROOT = Path(__file__).resolve().parent.parent
SHORTEST_SECRET = 32
LEAST_KIB_A_LANE = 8

# flask-cors takes what holds other characters for a regular expression, which matches more
# origins than it seems to.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:\d+)?")


class ConfigurationError(Exception):
    """A setting is missing or bad. The message names the setting and says what to do."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TESTING = "testing"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


def _setting(kind: str, default: Any, *, name: str = "", secret: bool = False, **how: Any) -> Any:
    """A field that ``load_settings`` reads with the environs method ``kind``."""
    metadata = {"kind": kind, "name": name, "how": how}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that an operator can choose. Secrets never show in its representation.

    :raises ConfigurationError: for a combination that cannot be run safely.
    """

    environment: Environment = _setting(
        "enum", Environment.PRODUCTION, enum=Environment, by_value=True
    )
    debug: bool = _setting("bool", default=False, name="FLASK_DEBUG")
    instance_path: Path = _setting("path", ROOT / "instance")

    database_url: str = _setting("str", "", secret=True)
    database_pool_size: int = _setting("int", 10, validate=Range(1, 200))
    redis_url: str = _setting("str", "", secret=True)

    secret_key: str = _setting("str", "", secret=True)
    jwt_secret_key: str = _setting("str", "", secret=True)
    access_token_minutes: int = _setting("int", 15, validate=Range(1, 24 * 60))
    session_days: int = _setting("int", 30, validate=Range(1, 366))
    password_memory_kib: int = _setting("int", 19 * 1024, validate=Range(8, 4 * 1024 * 1024))
    password_passes: int = _setting("int", 2, validate=Range(1, 100))
    password_lanes: int = _setting("int", 1, validate=Range(1, 64))

    public_url: str = _setting("str", "")
    host: str = _setting("str", "127.0.0.1")
    port: int = _setting("int", 5000, validate=Range(1, 65535))
    web_concurrency: int = _setting("int", 1, validate=Range(1, 256))
    web_threads: int = _setting("int", 8, validate=Range(1, 256))
    cors_origins: list[str] = _setting("list", (), delimiter=",", subcast=str.strip)
    trusted_proxies: int = _setting("int", 0, validate=Range(0, 10))
    force_https: bool = _setting("bool", default=False)
    max_body_bytes: int = _setting("int", 1024 * 1024, validate=Range(1024))
    max_json_depth: int = _setting("int", 32, validate=Range(4, 200))

    rate_limit: str = _setting("str", "100 per second")
    rate_limit_login: str = _setting("str", "10 per minute")
    rate_limit_refresh: str = _setting("str", "60 per minute")
    rate_limit_register: str = _setting("str", "20 per hour")

    default_currency: str = _setting("str", "EUR")
    log_level: int = _setting("log_level", 20)
    log_format: LogFormat | None = _setting("enum", None, enum=LogFormat, by_value=True)
    log_file: Path | None = _setting("path", None)

    def __post_init__(self) -> None:
        objections = [*_objections(self)]
        if self.environment is Environment.PRODUCTION:
            objections += _objections_in_production(self)
        if objections:
            raise ConfigurationError("\n".join(objections))

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def base_url(self) -> str:
        """Where clients reach the application, without a slash at the end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with its driver named; the embedded server's if there is none."""
        scheme, _, rest = (self.database_url or "postgresql:///").partition("://")
        driver = "postgresql+psycopg2" if scheme in {"postgres", "postgresql"} else scheme
        return f"{driver}://{rest}"


def load_settings() -> Settings:
    """Read the settings from the environment and from ``.env``; the environment wins.

    In development, secrets that are not set are made once and kept under the instance folder.

    :raises ConfigurationError: naming every bad setting.
    """
    env = Env(eager=False)
    env.read_env(ROOT / ".env", recurse=False)
    values = {setting.name: _read(env, setting) for setting in fields(Settings)}
    try:
        env.seal()
    except EnvValidationError as error:
        raise ConfigurationError("\n".join(_reasons(error))) from None
    if values["environment"] is not Environment.PRODUCTION:
        for name in ("secret_key", "jwt_secret_key"):
            values[name] = values[name] or _own_secret(values["instance_path"], name)
    return Settings(**values)


def load_settings_or_exit() -> Settings:
    """The settings; where they are bad, the process ends with the reasons and no trace."""
    try:
        return load_settings()
    except ConfigurationError as error:
        raise SystemExit(f"Stockroom cannot start:\n{error}") from None


def environment_name(setting: Any) -> str:
    """The variable that holds a field of ``Settings``."""
    return str(setting.metadata["name"] or setting.name.upper())


def _read(env: Env, setting: Any) -> Any:
    """The setting's value; its default where the variable is missing or empty."""
    name = environment_name(setting)
    if not (env.str(name, "") or "").strip():
        return setting.default
    return getattr(env, setting.metadata["kind"])(name, **setting.metadata["how"])


def _reasons(error: EnvValidationError) -> Sequence[str]:
    found = error.error_messages
    if isinstance(found, Mapping):
        return [f"{name}: {' '.join(why)}" for name, why in found.items()]
    return found


def _own_secret(instance_path: Path, name: str) -> str:
    """:raises ConfigurationError: if the instance folder cannot be used."""
    try:
        return _kept_secret(instance_path, name)
    except OSError as error:
        raise ConfigurationError(f"INSTANCE_PATH: {error.filename}: {error.strerror}") from None


def _kept_secret(instance_path: Path, name: str) -> str:
    """A random secret of this checkout's own, the same at every start."""
    path = instance_path / f"{name}.txt"
    if not path.exists():
        instance_path.mkdir(parents=True, exist_ok=True)
        # Linking a finished file into place: two first starts at once end with one secret.
        with NamedTemporaryFile("w", dir=instance_path) as draft, suppress(FileExistsError):
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            path.hardlink_to(draft.name)
    return path.read_text(encoding="ascii")


def _objections(settings: Settings) -> Iterator[str]:
    """What makes these settings wrong anywhere."""
    yield from _objections_to_addresses(settings)
    if settings.web_concurrency > 1 and not settings.redis_url:
        yield (
            "WEB_CONCURRENCY is above 1 but REDIS_URL is not set: several processes must share "
            "limits and cache. Set REDIS_URL, or run one process."
        )
    for name in ("rate_limit", "rate_limit_login", "rate_limit_refresh", "rate_limit_register"):
        try:
            parse_many(getattr(settings, name))
        except ValueError:
            yield f"{name.upper()} is not a limit such as '10 per minute'"
    if settings.default_currency not in CURRENCIES:
        yield f"DEFAULT_CURRENCY: {settings.default_currency!r} is not a currency such as EUR"
    if settings.password_memory_kib < LEAST_KIB_A_LANE * settings.password_lanes:
        yield f"PASSWORD_MEMORY_KIB must be at least {LEAST_KIB_A_LANE} for each of PASSWORD_LANES"


def _objections_to_addresses(settings: Settings) -> Iterator[str]:
    try:
        if make_url(settings.sqlalchemy_url).drivername != "postgresql+psycopg2":
            yield "DATABASE_URL must name a PostgreSQL server: postgresql://user:password@host/name"
    except (ArgumentError, ValueError):
        yield "DATABASE_URL is not an address: write postgresql://user:password@host/name"
    if settings.redis_url and not _is_address(settings.redis_url, {"redis", "rediss"}):
        yield "REDIS_URL is not an address: write redis://host:6379/0, or rediss:// for TLS"
    if settings.public_url and not _is_address(settings.public_url, {"http", "https"}):
        yield "PUBLIC_URL is not an address such as https://api.shop.example"
    for origin in settings.cors_origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            yield f"CORS_ORIGINS: {origin!r} is not an origin such as https://shop.example"


def _is_address(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        # A port that is no number shows only when it is asked for.
        return parts.scheme in schemes and bool(parts.netloc) and parts.port != 0
    except ValueError:
        return False


def _objections_in_production(settings: Settings) -> Iterator[str]:
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
    if settings.secret_key and settings.secret_key == settings.jwt_secret_key:
        yield "JWT_SECRET_KEY must differ from SECRET_KEY."
    if "*" in settings.cors_origins:
        yield "CORS_ORIGINS must not be '*' in production: name the origins."
    if settings.debug:
        yield "FLASK_DEBUG must be off in production: its debugger runs anyone's code."

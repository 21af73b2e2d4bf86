"""Settings: frozen, typed, read once from the environment, refused at start where they are bad.

Only this module reads the environment. The name of a setting in the environment is the
field's name in capitals; ``.env.example`` describes each one.
"""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from cryptography.fernet import Fernet
from environs import Env, EnvValidationError
from marshmallow.validate import Range

from stockroom.objections import objections, objections_in_production

LOOP_CONNECTIONS = 2
_LOOPBACKS = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - nothing listens by it
"""Where this machine reaches what listens on all of its addresses."""
ROOT = Path(__file__).resolve().parent.parent


class ConfigurationError(Exception):
    """A setting is missing or bad. The message names the setting and says what to do."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TESTING = "testing"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class WebWorker(StrEnum):
    """How gunicorn serves: with threads, or with greenlets for thousands of streams."""

    THREADS = "gthread"
    GREENLETS = "gevent"


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
    database_pool_size: int | None = _setting("int", None, validate=Range(1, 200))
    database_prepare: bool = _setting("bool", default=True)
    database_statement_timeout_seconds: float = _setting("float", 30.0, validate=Range(0, 3600))
    database_lock_timeout_seconds: float = _setting("float", 10.0, validate=Range(0, 3600))
    redis_url: str = _setting("str", "", secret=True)

    secret_key: str = _setting("str", "", secret=True)
    jwt_secret_key: str = _setting("str", "", secret=True)
    encryption_keys: list[str] = _setting("list", (), secret=True, delimiter=",", subcast=str.strip)
    access_token_minutes: int = _setting("int", 15, validate=Range(1, 24 * 60))
    session_days: int = _setting("int", 30, validate=Range(1, 366))
    recent_login_minutes: int = _setting("int", 15, validate=Range(1, 24 * 60))
    login_needs_verified_email: bool = _setting("bool", default=False)
    password_memory_kib: int = _setting("int", 19 * 1024, validate=Range(8, 4 * 1024 * 1024))
    password_passes: int = _setting("int", 2, validate=Range(1, 100))
    password_lanes: int = _setting("int", 1, validate=Range(1, 64))

    public_url: str = _setting("str", "")
    host: str = _setting("str", "127.0.0.1")
    port: int = _setting("int", 5000, validate=Range(1, 65535))
    web_concurrency: int | None = _setting("int", None, validate=Range(1, 256))
    web_threads: int = _setting("int", 8, validate=Range(1, 256))
    web_worker: WebWorker = _setting("enum", WebWorker.THREADS, enum=WebWorker, by_value=True)
    stream_connections: int = _setting("int", 100, validate=Range(0, 20_000))
    stream_heartbeat_seconds: int = _setting("int", 15, validate=Range(1, 300))
    cors_origins: list[str] = _setting("list", (), delimiter=",", subcast=str.strip)
    trusted_proxies: int = _setting("int", 0, validate=Range(0, 10))
    force_https: bool = _setting("bool", default=False)
    max_body_bytes: int = _setting("int", 1024 * 1024, validate=Range(1024))
    max_json_depth: int = _setting("int", 32, validate=Range(4, 200))

    rate_limit: str = _setting("str", "100 per second")
    rate_limit_login: str = _setting("str", "10 per minute")
    rate_limit_refresh: str = _setting("str", "60 per minute")
    rate_limit_register: str = _setting("str", "20 per hour")
    rate_limit_mail: str = _setting("str", "20 per hour")

    event_days: int = _setting("int", 90, validate=Range(2, 3650))
    webhook_http: bool = _setting("bool", default=False)
    webhook_networks: list[str] = _setting("list", (), delimiter=",", subcast=str.strip)
    webhook_timeout_seconds: int = _setting("int", 15, validate=Range(1, 60))
    mail_url: str = _setting("str", "", secret=True)
    account_url: str = _setting("str", "")
    mail_from: str = _setting("str", "Stockroom <stockroom@localhost>")

    default_currency: str = _setting("str", "EUR")
    low_stock_threshold: int = _setting("int", 5, validate=Range(0, 1_000_000_000))
    metrics_token: str = _setting("str", "", secret=True)
    log_level: int = _setting("log_level", 20)
    log_format: LogFormat | None = _setting("enum", None, enum=LogFormat, by_value=True)
    log_file: Path | None = _setting("path", None)

    def __post_init__(self) -> None:
        found = [*objections(self)]
        if self.is_production:
            found += objections_in_production(self)
        if found:
            raise ConfigurationError("\n".join(found))

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def base_url(self) -> str:
        """Where clients reach the application, without a slash at the end."""
        host = _LOOPBACKS.get(self.host, self.host)
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def processes(self) -> int:
        """How many processes answer requests: by default one for each core, if they can share."""
        return self.web_concurrency or (cores() if self.redis_url else 1)

    @property
    def connections(self) -> int:
        """How many connections to the database a process holds at most: by default one for each
        thread that answers requests, and two for followers and jobs.
        """
        return self.database_pool_size or self.web_threads + 2

    @property
    def loop_connections(self) -> int:
        """How many the loop of a process has for itself beside those (``core.hot_reads.asking``).

        None where a pooler may stand before the server, or where there is no such loop.
        """
        has_some = self.database_prepare and self.web_worker is WebWorker.THREADS
        return LOOP_CONNECTIONS if has_some else 0

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with its driver named; the embedded server's if there is none."""
        scheme, _, rest = (self.database_url or "postgresql:///").partition("://")
        driver = "postgresql+psycopg2" if scheme in {"postgres", "postgresql"} else scheme
        return f"{driver}://{rest}"


def cores() -> int:
    """How many cores this process may use."""
    # macOS has no affinities to ask for.
    has_affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1


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
        values["encryption_keys"] = values["encryption_keys"] or [
            _own_secret(values["instance_path"], "encryption_key", _new_encryption_key)
        ]
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


def _new_secret() -> str:
    return secrets.token_urlsafe(48)


def _new_encryption_key() -> str:
    return Fernet.generate_key().decode()


def _own_secret(instance_path: Path, name: str, make: Callable[[], str] = _new_secret) -> str:
    """:raises ConfigurationError: if the instance folder cannot be used."""
    try:
        return _kept_secret(instance_path, name, make)
    except OSError as error:
        raise ConfigurationError(f"INSTANCE_PATH: {error.filename}: {error.strerror}") from None


def _kept_secret(instance_path: Path, name: str, make: Callable[[], str]) -> str:
    """A random secret of this checkout's own, the same at every start."""
    path = instance_path / f"{name}.txt"
    if not path.exists():
        instance_path.mkdir(parents=True, exist_ok=True)
        # Linking a finished file into place: two first starts at once end with one secret.
        with NamedTemporaryFile("w", dir=instance_path) as draft, suppress(FileExistsError):
            draft.write(make())
            draft.flush()
            path.hardlink_to(draft.name)
    return path.read_text(encoding="ascii")

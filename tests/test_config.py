"""Settings: what the environment may say, and what is refused at start."""

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from redis import ConnectionPool

from stockroom import config, objections
from stockroom.config import (
    ConfigurationError,
    Environment,
    LogFormat,
    Settings,
    environment_name,
    load_settings,
)

SECRET = "kq3Zt7Lw9xVb2Nf8Rj5Hd1Mc6Gp4Ys0A"
OTHER_SECRET = "Bv8Xn2Qe7Tk5Wd1Zr9Hf3Jm6Lc4Py0Us"
ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PRODUCTION: dict[str, Any] = {
    "environment": Environment.PRODUCTION,
    "database_url": "postgresql://shop:hunter2@db.example/shop",
    "secret_key": SECRET,
    "jwt_secret_key": OTHER_SECRET,
    "encryption_keys": [ENCRYPTION_KEY],
}


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a fresh checkout: development, nothing else set, no ``.env``."""
    variables = {"ENVIRONMENT": "development", "INSTANCE_PATH": str(tmp_path / "instance")}
    monkeypatch.setattr(os, "environ", variables)
    monkeypatch.setattr(config, "ROOT", tmp_path)
    return variables


def refusal(**values: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**values)
    return str(caught.value)


def test_production_with_all_that_it_needs_is_accepted() -> None:
    assert Settings(**PRODUCTION).is_production


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"database_url": ""}, "DATABASE_URL"),
        ({"secret_key": ""}, "SECRET_KEY"),
        ({"jwt_secret_key": ""}, "JWT_SECRET_KEY"),
        ({"encryption_keys": []}, "ENCRYPTION_KEYS"),
        ({"secret_key": "too short"}, "SECRET_KEY"),
        ({"jwt_secret_key": "a" * 64}, "JWT_SECRET_KEY"),
        ({"jwt_secret_key": SECRET}, "JWT_SECRET_KEY"),
        ({"metrics_token": "too short"}, "METRICS_TOKEN"),
        ({"cors_origins": ["*"]}, "CORS_ORIGINS"),
        ({"debug": True}, "FLASK_DEBUG"),
    ],
)
def test_production_refuses_what_is_dangerous_there(changes: dict[str, Any], named: str) -> None:
    lines = refusal(**(PRODUCTION | changes)).splitlines()
    assert [line.split()[0].rstrip(":") for line in lines] == [named]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"database_url": "mysql://host/shop"}, "DATABASE_URL"),
        ({"database_url": "postgresql+asyncpg://host/shop"}, "DATABASE_URL"),
        ({"database_url": "no address"}, "DATABASE_URL"),
        ({"database_url": "postgresql://host:port/shop"}, "DATABASE_URL"),
        ({"database_url": "postgresql://host/shop?nonsense=1"}, "DATABASE_URL: .*nonsense"),
        ({"redis_url": "http://host:6379"}, "REDIS_URL"),
        ({"redis_url": "redis://host:port"}, "REDIS_URL"),
        ({"redis_url": "redis://[::1"}, "REDIS_URL"),
        ({"redis_url": "redis://host/0?nonsense=1&db=1"}, "REDIS_URL: 'nonsense"),
        ({"redis_url": "redis://host/0?ssl_cert_reqs=none"}, "REDIS_URL: 'ssl_cert_reqs"),
        ({"redis_url": "redis://host/0?socket_timeout=x"}, "REDIS_URL: .*socket_timeout"),
        ({"public_url": "api.shop.example"}, "PUBLIC_URL"),
        ({"host": "::1"}, "HOST"),
        ({"web_concurrency": 2}, "WEB_CONCURRENCY"),
        ({"cors_origins": ["https://shop.example/"]}, "CORS_ORIGINS"),
        ({"cors_origins": ["shop.example"]}, "CORS_ORIGINS"),
        ({"cors_origins": ["https://*.shop.example"]}, "CORS_ORIGINS"),
        ({"cors_origins": ["https://shop.example", ""]}, "CORS_ORIGINS"),
        ({"rate_limit": "lots"}, "RATE_LIMIT"),
        ({"rate_limit_login": ""}, "RATE_LIMIT_LOGIN"),
        ({"password_memory_kib": 8, "password_lanes": 2}, "PASSWORD_MEMORY_KIB"),
        ({"mail_url": "http://mail.example"}, "MAIL_URL"),
        ({"mail_url": "smtps://shop:gr%C3%BCn@mail.example"}, "MAIL_URL"),
        ({"mail_from": "nobody"}, "MAIL_FROM"),
        ({"mail_from": f"shop@{'long' * 20}.example"}, "MAIL_FROM"),
        ({"webhook_networks": ["10.1.0.0/33"]}, "WEBHOOK_NETWORKS"),
        ({"encryption_keys": ["too short"]}, "ENCRYPTION_KEYS"),
    ],
)
def test_bad_combinations_are_refused_everywhere(changes: dict[str, Any], named: str) -> None:
    message = refusal(environment=Environment.DEVELOPMENT, **changes)
    assert re.match(rf"{named}\b", message)


def test_every_objection_is_named_at_once() -> None:
    named = refusal(environment=Environment.PRODUCTION, cors_origins=["*"], web_concurrency=2)
    for name in ("DATABASE_URL", "JWT_SECRET_KEY", "CORS_ORIGINS", "WEB_CONCURRENCY"):
        assert name in named


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_a_postgresql_address_gets_the_driver(scheme: str) -> None:
    settings = Settings(**(PRODUCTION | {"database_url": f"{scheme}://u:p@host:5432/shop?user=b"}))
    assert settings.sqlalchemy_url == "postgresql+psycopg2://u:p@host:5432/shop?user=b"


@pytest.mark.parametrize(
    ("scheme", "options"),
    [("redis", objections.REDIS_OPTIONS), ("rediss", objections.REDISS_OPTIONS)],
)
def test_the_driver_takes_the_options_that_a_redis_address_may_have(
    scheme: str, options: dict[str, str]
) -> None:
    values = {name: "none" if name == "ssl_cert_reqs" else "2" for name in options}
    address = f"{scheme}://cache.example/0?{urlencode(values)}"
    Settings(**PRODUCTION, redis_url=address)
    ConnectionPool.from_url(address).make_connection()


def test_a_database_address_may_have_the_options_of_libpq() -> None:
    address = "postgresql://db.example/shop?sslmode=verify-full&sslrootcert=system&host=a&host=b"
    assert Settings(**(PRODUCTION | {"database_url": address}))


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:5000"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),  # noqa: S104 - nothing listens
        ({"host": "[::]"}, "http://[::1]:5000"),
        ({"host": "192.0.2.1"}, "http://192.0.2.1:5000"),
        ({"host": "[::]", "public_url": "https://shop.example/"}, "https://shop.example"),
    ],
)
def test_the_address_that_is_told_is_one_that_answers(values: dict[str, Any], address: str) -> None:
    assert Settings(**(PRODUCTION | values)).base_url == address


def test_a_refusal_does_not_tell_a_secret() -> None:
    message = refusal(**(PRODUCTION | {"jwt_secret_key": "hunter2", "redis_url": "http://:pass@h"}))
    assert "hunter2" not in message
    assert "pass@" not in message


def test_the_representation_hides_secrets() -> None:
    shown = repr(Settings(**PRODUCTION, redis_url="redis://:swordfish@cache.example"))
    for secret in (SECRET, OTHER_SECRET, "hunter2", "swordfish"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PORT": "eighty"}, {"PORT"}),
        ({"PORT": "70000"}, {"PORT"}),
        ({"ENVIRONMENT": "prod"}, {"ENVIRONMENT"}),
        ({"FLASK_DEBUG": "maybe"}, {"FLASK_DEBUG"}),
        ({"LOG_LEVEL": "LOUD"}, {"LOG_LEVEL"}),
        ({"LOG_FORMAT": "xml"}, {"LOG_FORMAT"}),
        ({"TRUSTED_PROXIES": "-1"}, {"TRUSTED_PROXIES"}),
        ({"PORT": "0", "SESSION_DAYS": "0", "FORCE_HTTPS": "x"},
         {"PORT", "SESSION_DAYS", "FORCE_HTTPS"}),
    ],
)  # fmt: skip
def test_bad_values_are_named_all_at_once(
    environ: dict[str, str], variables: dict[str, str], named: set[str]
) -> None:
    environ |= variables
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert {line.partition(":")[0] for line in str(caught.value).splitlines()} == named


def test_values_are_read_in_their_types(environ: dict[str, str]) -> None:
    environ |= {
        "PORT": "8080",
        "CORS_ORIGINS": "https://a.example, https://b.example:8443",
        "FORCE_HTTPS": "true",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "LOG_FILE": "/var/log/stockroom.log",
    }
    settings = load_settings()
    assert settings.port == 8080
    assert settings.cors_origins == ["https://a.example", "https://b.example:8443"]
    assert settings.force_https is True
    assert settings.log_level == 10
    assert settings.log_format is LogFormat.JSON
    assert settings.log_file == Path("/var/log/stockroom.log")


def test_an_empty_variable_means_the_default(environ: dict[str, str]) -> None:
    environ |= {"PORT": "", "LOG_FORMAT": " ", "CORS_ORIGINS": "", "DATABASE_URL": ""}
    settings = load_settings()
    assert (settings.port, settings.log_format, settings.database_url) == (5000, None, "")
    assert not settings.cors_origins


def test_the_file_is_read_and_the_environment_wins(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=7000\nSESSION_DAYS=9\n")
    environ["PORT"] = "7001"
    settings = load_settings()
    assert (settings.port, settings.session_days) == (7001, 9)


def test_production_is_what_an_empty_environment_means(environ: dict[str, str]) -> None:
    del environ["ENVIRONMENT"]
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        load_settings()


def test_production_never_makes_up_a_secret(environ: dict[str, str]) -> None:
    environ["ENVIRONMENT"] = "production"
    with pytest.raises(ConfigurationError, match="SECRET_KEY is missing"):
        load_settings()
    assert not Path(environ["INSTANCE_PATH"]).exists()


def test_secrets_of_development_are_made_once(environ: dict[str, str]) -> None:
    first, second = load_settings(), load_settings()
    assert len(first.secret_key) >= objections.SHORTEST_SECRET
    assert first.secret_key != first.jwt_secret_key
    assert (second.secret_key, second.jwt_secret_key) == (first.secret_key, first.jwt_secret_key)


def test_only_the_owner_can_read_a_kept_secret(environ: dict[str, str]) -> None:
    load_settings()
    kept = [*Path(environ["INSTANCE_PATH"]).iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert {path.name for path in kept} == {
        "secret_key.txt",
        "jwt_secret_key.txt",
        "encryption_key.txt",
    }


def test_two_first_starts_at_once_end_with_the_same_secrets(environ: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: load_settings(), range(16)))
    assert len({(settings.secret_key, settings.jwt_secret_key) for settings in started}) == 1


def test_a_secret_that_is_set_is_not_replaced(environ: dict[str, str]) -> None:
    environ["SECRET_KEY"] = SECRET
    assert load_settings().secret_key == SECRET


def test_every_setting_is_described_in_the_example() -> None:
    example = Path(__file__).resolve().parent.parent / ".env.example"
    text = example.read_text(encoding="utf-8")
    described = set(re.findall(r"^\s*#?\s*([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))
    names = {environment_name(field) for field in fields(Settings)}
    assert names - described == set()


def test_an_instance_folder_that_cannot_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path / "file" / "instance"))
    with pytest.raises(ConfigurationError, match=r"INSTANCE_PATH: .*Not a directory"):
        load_settings()

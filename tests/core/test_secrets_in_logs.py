"""Secrets never reach the logs, whatever the level and the way."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import pytest
import structlog
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from stockroom.config import LogFormat, Settings
from stockroom.core.logging import REDACTED, SECRET_TEXT, configure, redact
from stockroom.core.transaction import transaction
from stockroom.users.models import User
from stockroom.users.passwords import hash_password
from tests.api import Api
from tests.auth.browsing import COOKIES, Browser
from tests.factories.api_keys import make_key
from tests.factories.users import PASSWORD, log_in, make_user

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2g"


@pytest.fixture(autouse=True)
def usual_logging(app: Flask, settings: Settings) -> Iterator[None]:
    yield
    configure(settings)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "stockroom.log"


@pytest.fixture
def talkative(make_app: Callable[..., Flask], log_file: Path) -> Iterator[Flask]:
    """An application that logs all there is to log, each row that it reads included."""
    sqlalchemy = logging.getLogger("sqlalchemy")
    usual = sqlalchemy.level
    sqlalchemy.setLevel(logging.DEBUG)
    yield make_app(log_file=log_file, log_level=logging.DEBUG)
    sqlalchemy.setLevel(usual)


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "Authorization", "access_token", "Cookie", "Set-Cookie",
     "X-API-Key", "api_key", "client_secret", "secret_key", "otp", "private_key",
     "code", "otpauth_uri", "recovery_codes"],
)  # fmt: skip
def test_a_value_with_the_name_of_a_secret_is_blanked(name: str) -> None:
    assert redact(None, "info", {name: "swordfish"}) == {name: REDACTED}


def test_values_are_blanked_however_deep_they_are() -> None:
    event = {"request": {"headers": [{"Authorization": "swordfish"}, (f"x {JWT}",)]}}
    assert "swordfish" not in str(redact(None, "info", event))
    assert JWT not in str(redact(None, "info", event))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token was {JWT}, it said", JWT),
        (f"hash {ARGON2} is old", ARGON2),
        ("key sr_abcdefghijklmnop0123", "sr_abcdefghijklmnop0123"),
        ("GET /?q=a%20sr_abcdefghijklmnop0123", "sr_abcdefghijklmnop0123"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("Authorization: Basic YWRhOnN3b3JkZmlzaA==", "YWRhOnN3b3JkZmlzaA=="),
        ("postgresql://ada:swordfish@db.example/shop", "ada:swordfish"),
        ("redis://:swordfish@cache.example:6379", ":swordfish"),
        ("eyJhbGciOiJIUzI1NiJ9 was cut short", "eyJhbGciOiJIUzI1NiJ9"),
        ("postgresql://ada:sw:ord@db.example/shop", "ada:sw:ord"),
        ("postgresql://ada:sword@fish@db.example/shop", "ada:sword@fish"),
        ("host=db user=ada password=swordfish dbname=shop", "swordfish"),
        ('{"email": "a@b.c", "password": "swordfish"}', "swordfish"),
        ("{'refresh_token': 'swordfish', 'n': 1}", "swordfish"),
        ("grant_type=password&password=swordfish&x=1", "swordfish"),
        ("Cookie: session=swordfish; csrf=swordfish", "session=swordfish; csrf=swordfish"),
        ("/events?token=swordfish", "swordfish"),
        ('{"code": "123456", "email": "a@b.c"}', "123456"),
    ],
)
def test_what_looks_like_a_secret_is_blanked_in_any_text(text: str, secret: str) -> None:
    assert redact(None, "info", {"event": text}) == {"event": text.replace(secret, REDACTED)}


@pytest.mark.parametrize(
    "text", ["12 shelves at 10:30", "https://shop.example/a:b", "GET /products?q=tea", "é ✓"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(None, "info", {"event": text, "n": 7}) == {"event": text, "n": 7}


@pytest.mark.parametrize(
    "text",
    ["@a://" + ":" * 64_000, "passw" * 12_800, "secret" * 10_600, "eyJ" * 21_300, "eyJa." * 12_800,
     "sr_a" * 16_000, "$argon2a" * 8_000, "bearer a" * 8_000, "token=" * 10_600],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_no_text_is_gone_over_again_and_again(text: str) -> None:
    """What strangers ask for is logged: one of these held the process for half a minute."""
    began = process_time()
    redact(None, "info", {"event": text})
    assert process_time() - began < 1


def test_a_whole_session_leaves_no_secret_in_the_logs(talkative: Flask, log_file: Path) -> None:
    user = make_user(talkative)
    tokens = log_in(talkative, user)
    api = Api(talkative, tokens["access_token"])
    credentials = {"email": user.email, "password": PASSWORD}
    answers = [
        api.post("/auth/login", json=credentials).get_json(),
        api.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json(),
        api.post("/auth/token", data={"grant_type": "password", "username": user.email,
                                      "password": PASSWORD}).get_json(),
    ]  # fmt: skip
    api.get("/users/me?password=swordfish", headers={"Cookie": "session=swordfish"})
    api.post("/auth/register", json=credentials)
    api.post("/auth/login", json={**credentials, "password": "swordfish"})
    browser = Browser(talkative, user)
    browser.refresh()
    browser.get("/users/me")
    written = log_file.read_text()
    assert "Row (" in written
    kept = [PASSWORD, "swordfish", user.password_hash, tokens["access_token"]]
    for answer in [tokens, *answers]:
        kept += [answer["access_token"], answer["refresh_token"]]
    kept += [str(browser.cookie(name)) for name in COOKIES]
    assert [secret for secret in kept if secret in written] == []


def test_a_key_is_in_no_log_wherever_it_is_sent(talkative: Flask, log_file: Path) -> None:
    key = make_key(talkative, make_user(talkative)).key
    api = Api(talkative, key=key)
    assert api.get("/users/me").status_code == 200
    api.get(f"/products?q={key}")
    api.get(f"/products/by-sku/{key}")
    api.get(f"/nowhere/{key}", headers={"User-Agent": key, "X-Request-ID": key})
    api.patch("/users/me", json={"full_name": key}, if_match="*")
    api.post("/auth/login", json={"email": key, "password": key})
    Api(talkative, token=key).get("/users/me")
    written = log_file.read_text()
    assert "Row (" in written
    assert key not in written


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_bug_leaves_no_secret_in_the_logs(
    make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    app = make_app(log_format=log_format, log_level=logging.DEBUG)
    text = f"password=swordfish {JWT} {ARGON2} redis://:swordfish@cache"

    def fail() -> str:
        raise RuntimeError(text) from ValueError(text)

    app.add_url_rule("/api/v1/fail", "fail", fail)
    Api(app).get("/fail")
    written = capsys.readouterr().err
    assert "RuntimeError" in written
    for secret in ("swordfish", JWT, ARGON2):
        assert secret not in written.partition('text = f"')[0]


def test_what_the_database_refuses_leaves_no_secret_in_the_logs(
    talkative: Flask, log_file: Path
) -> None:
    with talkative.app_context():
        hashed = hash_password(PASSWORD)
    try:
        with talkative.app_context(), transaction() as session:
            session.add(User(email="UPPER@example.com", password_hash=hashed))
    except IntegrityError:
        logging.getLogger("library").exception("refused")
        structlog.get_logger("shop").exception("refused")
    written = log_file.read_text()
    assert "ck_users_email_lower" in written
    assert hashed not in written
    assert "SQL parameters hidden" in written


def test_an_address_that_does_not_answer_leaves_no_password_in_the_logs(
    make_app: Callable[..., Flask], log_file: Path
) -> None:
    app = make_app(
        database_url="postgresql://shop:swordfish@127.0.0.1:1/shop",
        redis_url="redis://:swordfish@127.0.0.1:1/0",
        log_file=log_file,
        log_level=logging.DEBUG,
    )
    assert Api(app).get("/products").status_code == 503
    written = log_file.read_text()
    assert "unavailable" in written
    assert "swordfish" not in written
    make_app()


@given(text=st.from_regex(SECRET_TEXT))
@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_secret_is_overlooked_at_first_sight(text: str) -> None:
    assert REDACTED in redact(None, "", {"said": text})["said"]

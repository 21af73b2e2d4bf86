"""Access tokens: how they are signed, and how the caller of one is found."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask, g
from jwt import InvalidKeyError

from stockroom.auth import sessions, signing
from stockroom.auth.models import FIRST_KEY_ID
from stockroom.config import Settings
from stockroom.core.callers.identity import CSRF_HEADER
from stockroom.core.callers.token_header import bind_token_finder
from stockroom.core.permissions import Caller
from stockroom.core.sql.question import Question
from stockroom.extensions import jwt

ISSUER = AUDIENCE = "stockroom"
CLOCK_SKEW_SECONDS = 5


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        JWT_ALGORITHM="HS256",
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(minutes=settings.access_token_minutes),
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_ENCODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_AUDIENCE=AUDIENCE,
        # Servers' clocks differ; a token must not be "not yet valid" on the next one.
        JWT_DECODE_LEEWAY=CLOCK_SKEW_SECONDS,
    )
    app.config.update(_cookies(is_secure=settings.is_production))
    jwt.init_app(app)
    jwt.user_lookup_loader(_find_caller)
    bind_token_finder(app.extensions, _caller, _is_signed_well)
    jwt.additional_headers_loader(_headers)
    jwt.encode_key_loader(_signing_secret)
    jwt.decode_key_loader(_verifying_secret)


def _cookies(*, is_secure: bool) -> dict[str, Any]:
    # The prefix has browsers take the cookie from this very host alone, and over HTTPS.
    prefix = "__Host-" if is_secure else ""
    return {
        "JWT_COOKIE_SECURE": is_secure,
        "JWT_COOKIE_SAMESITE": "Strict",
        "JWT_ACCESS_COOKIE_NAME": f"{prefix}access_token",
        "JWT_REFRESH_COOKIE_NAME": f"{prefix}refresh_token",
        "JWT_ACCESS_CSRF_COOKIE_NAME": f"{prefix}csrf_token",
        "JWT_ACCESS_CSRF_HEADER_NAME": CSRF_HEADER,
        # ``auth.cookies`` sets one for both tokens.
        "JWT_CSRF_IN_COOKIES": False,
    }


def _headers(_identity: str) -> dict[str, Any]:
    g.signing_key = signing.current_key()
    return {"kid": g.signing_key.id}


def _signing_secret(_identity: str) -> bytes:
    # The one that the header names: another one may have begun to sign since.
    key: signing.Key = g.signing_key
    return key.secret


def _is_signed_well(header: Mapping[str, Any], *, may_ask: bool) -> bool:
    find = signing.find_key if may_ask else signing.known_key
    return find(_key_id(header)) is not None


def _verifying_secret(header: dict[str, Any], _claims: dict[str, Any]) -> bytes:
    """:raises InvalidKeyError: if the token names a key that does not verify."""
    key = signing.find_key(_key_id(header))
    if key is None:
        raise InvalidKeyError
    return key.secret


def _key_id(header: Mapping[str, Any]) -> str:
    # The version before this one named none.
    key_id: str = header.get("kid", FIRST_KEY_ID.hex)
    return key_id


def _find_caller(header: Mapping[str, Any], claims: Mapping[str, Any]) -> Caller | None:
    question = _caller(header, claims)
    return question.answer() if question else None


def _caller(
    _header: Mapping[str, Any], claims: Mapping[str, Any]
) -> Question[Caller | None] | None:
    # flask-jwt-extended takes whatever is no refresh token for an access token.
    if claims["type"] != "access":
        return None
    try:
        session_id, user_id = UUID(claims["sid"]), UUID(claims["sub"])
    except (KeyError, ValueError, AttributeError):
        return None
    # A token says what its user might do when it was made; a role that has changed needs another.
    role = claims.get("role")
    return sessions.caller_of(session_id, user_id).then(
        lambda caller: caller if caller and caller.role == role else None
    )

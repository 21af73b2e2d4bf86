"""Tokens as an attacker, or an older version of the code, would write them."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import jwt

from stockroom.config import Settings


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good access token; a claim that is changed to None is left out."""
    moment = int(time.time())
    good = {
        "iss": "stockroom",
        "aud": "stockroom",
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "type": "access",
        "fresh": False,
        "jti": str(uuid4()),
        "iat": moment,
        "nbf": moment,
        "exp": moment + 900,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(settings: Settings, **changes: Any) -> str:
    """A token with our own signature."""
    return jwt.encode(claims(**changes), settings.jwt_secret_key, "HS256")


def unsigned(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token of any parts whatever; bytes and text are taken as they are."""
    return ".".join(map(_part, (header, payload, signature)))


def _part(content: Any) -> str:
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

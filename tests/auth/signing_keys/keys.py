"""Keys as tests turn them, and tokens as an attacker would forge them."""

import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from click.testing import Result
from flask import Flask
from jwt.utils import base64url_encode
from sqlalchemy import update

from stockroom.auth import signing
from stockroom.auth.models import FIRST_KEY_ID, SigningKey
from stockroom.auth.signing import key_ring
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from tests.api import Api, assert_problem

FIRST = FIRST_KEY_ID.hex
NOT_KEYS = [
    7, None, True, 0.5, [], [FIRST], {}, {"kid": FIRST}, "", "x", "0", str(FIRST_KEY_ID),
    f"{{{FIRST}}}", FIRST + " ", FIRST + "\0", "../../../../dev/null", "' OR 1=1 --", "é",
    "http://127.0.0.1:1/", "0" * 1500, "f" * 32,
]  # fmt: skip


def rotate(app: Flask, *, revoke: bool = False) -> str:
    """Rotate the keys long enough ago for the new one to sign; returns its id."""
    with app.app_context():
        key_id = signing.rotate(revoke=revoke).id
    change(app, key_id, created_at=now() - timedelta(seconds=signing.SETTLING_SECONDS))
    return key_id.hex


def change(app: Flask, key_id: UUID, **values: Any) -> None:
    with app.app_context():
        with transaction() as session:
            session.execute(update(SigningKey).where(SigningKey.id == key_id).values(**values))
        key_ring().forget()


def app_secret(app: Flask) -> str:
    secret: str = app.extensions["stockroom.settings"].jwt_secret_key
    return secret


def secret_of(app: Flask, key_id: str) -> bytes:
    with app.app_context():
        return key_ring().keys()[key_id].secret


def kid(token: str) -> str:
    named: str = jwt.get_unverified_header(token)["kid"]
    return named


def resigned(token: str, secret: bytes, **header: Any) -> str:
    """The token's claims under another header and key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, secret, "HS256", headers=header)


def with_header(app: Flask, token: str, **header: Any) -> str:
    """The token under a header that no library would write, signed by the first key."""
    text = json.dumps({"alg": "HS256", "typ": "JWT", **header}).encode()
    signed = f"{base64url_encode(text).decode()}.{token.split('.')[1]}"
    signature = hmac.digest(app_secret(app).encode(), signed.encode(), "sha256")
    return f"{signed}.{base64url_encode(signature).decode()}"


def assert_refused(app: Flask, token: str) -> None:
    for path in ("/users/me", "/products"):
        assert_problem(Api(app, token).get(path), 401, "unauthenticated")
    body = {"refresh_token": token}
    assert_problem(Api(app).post("/auth/refresh", json=body), 401, "invalid-refresh-token")


def works(app: Flask, token: str) -> bool:
    return Api(app, token).get("/users/me").status_code == 200


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["auth", *arguments])

"""Signatures of the Standard Webhooks specification, version 1 (symmetric)."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A random secret, as the receiver is shown it."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for."""
    return b64decode(secret.removeprefix(PREFIX))


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each key, with spaces between them.

    :param timestamp: seconds since 1970, as in the header ``webhook-timestamp``.
    """
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{b64encode(digest).decode('ascii')}" for digest in digests)

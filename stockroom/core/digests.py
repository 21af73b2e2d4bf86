"""Keyed digests, of what has to be found again and is not to be read."""

import hmac
from hashlib import sha256

from stockroom.core.context import settings


def keyed_digest(kind: str, text: str) -> str:
    """HMAC-SHA-256 under ``SECRET_KEY`` in hexadecimal: whoever reads a table of them cannot try
    out what they may be of.

    :param kind: what it is a digest of, so that those of different tables cannot be compared.
    """
    key = settings().secret_key.encode()
    return hmac.new(key, f"{kind}\0{text}".encode(), sha256).hexdigest()

"""What a credential is remembered by, so that it is kept nowhere itself."""

import hashlib


def digest_of(sent: str) -> bytes:
    """Of a credential as it came in a header."""
    # Headers are bytes, which WSGI hands over as Latin-1.
    return hashlib.sha256(sent.encode("latin-1", "replace")).digest()

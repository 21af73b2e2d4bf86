"""Secrets that have to be read again: encrypted with the keys of the settings (Fernet).

The first key encrypts; all of them decrypt, so that a key can be exchanged while everything runs.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from stockroom.core.context import settings


class Undecipherable(Exception):
    """None of the keys in ENCRYPTION_KEYS encrypted this."""


def encrypt(text: str) -> str:
    """The text as ASCII that only the keys can read; different each time."""
    return _fernet().encrypt(text.encode()).decode("ascii")


def decrypt(token: str) -> str:
    """:raises Undecipherable: if no key fits."""
    try:
        return _fernet().decrypt(token).decode()
    except InvalidToken:
        raise Undecipherable("No key of ENCRYPTION_KEYS fits.") from None


def renewed(token: str) -> str:
    """The same text, encrypted with the first key.

    :raises Undecipherable: if no key fits.
    """
    try:
        return _fernet().rotate(token).decode("ascii")
    except InvalidToken:
        raise Undecipherable("No key of ENCRYPTION_KEYS fits.") from None


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings().encryption_keys])

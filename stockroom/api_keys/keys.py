"""The form of an API key: ``sr_``, 256 random bits, and a checksum that tells it from others."""

import hashlib
import re
import secrets
import string
from zlib import crc32

PREFIX = "sr_"
RANDOM_BITS = 256
# 62 ** 43 is just above 2 ** 256, and 62 ** 6 above 2 ** 32.
RANDOM_DIGITS = 43
CHECK_DIGITS = 6
SHOWN_CHARACTERS = 8

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(f"{PREFIX}[0-9A-Za-z]{{{RANDOM_DIGITS + CHECK_DIGITS}}}")


def new_key() -> str:
    unchecked = PREFIX + _base62(secrets.randbits(RANDOM_BITS), RANDOM_DIGITS)
    return unchecked + checksum(unchecked)


def checksum(unchecked: str) -> str:
    """What a key ends with: the CRC-32 of all that stands before it."""
    return _base62(crc32(unchecked.encode()), CHECK_DIGITS)


def is_well_formed(text: str) -> bool:
    """Whether it can be a key at all; no secret is needed to tell."""
    is_of_the_form = _FORM.fullmatch(text) is not None
    return is_of_the_form and checksum(text[:-CHECK_DIGITS]) == text[-CHECK_DIGITS:]


def digest(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))

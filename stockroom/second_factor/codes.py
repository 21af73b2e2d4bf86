"""Codes: those of an authenticator (TOTP, RFC 6238), and those for who has lost it."""

import hmac
import secrets
from datetime import datetime
from io import BytesIO
from urllib.parse import urlsplit
from uuid import UUID

import segno
from pyotp import TOTP, random_base32

from stockroom.core.context import settings
from stockroom.core.digests import keyed_digest

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""How many steps the clock of an authenticator may be off, either way (RFC 6238, 5.2)."""
RECOVERY_CODES = 10
# 32 letters and digits that nobody takes for others: 24 of them are 120 random bits, which need no
# slow hash (NIST SP 800-63B, 3.1.2.2).
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 6


def new_secret() -> str:
    """160 random bits in Base32, as RFC 4226, 4 recommends."""
    return random_base32()


def accepted_step(secret: str, code: str, moment: datetime, last_step: int) -> int | None:
    """The time step whose code this is: one of now, or next to it, and after the last one used.

    None if it is no such code. Every code is compared in constant time.
    """
    totp = TOTP(secret)
    now = int(moment.timestamp()) // STEP_SECONDS
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    # All of them, so that the time does not tell which one it was.
    matching = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), code)]
    return max((step for step in matching if step > last_step), default=None)


def uri_of(secret: str, email: str) -> str:
    """What an authenticator reads: ``otpauth://totp/…``, with the names of service and account."""
    host = urlsplit(settings().base_url).hostname
    return TOTP(secret).provisioning_uri(name=email, issuer_name=f"Stockroom ({host})")


def picture_of(uri: str) -> str:
    """The URI as a QR code: an SVG document."""
    output = BytesIO()
    segno.make(uri, micro=False).save(output, kind="svg", scale=4, xmldecl=False)
    return output.getvalue().decode()


def new_recovery_codes() -> list[str]:
    """Ten different codes such as ``q7wwm3-kdx2pa-h4tu9n-rc5be8``."""
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODES:
        codes.add("-".join(_group() for _ in range(_GROUPS)))
    return sorted(codes)


def digest_of(user_id: UUID, code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return keyed_digest("recovery", f"{user_id}\0{plain}")


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH))

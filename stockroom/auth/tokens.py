"""The tokens that stand for a session: minted for a grant, and read back."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import CSRFError

from stockroom.auth.errors import InvalidRefreshToken
from stockroom.auth.sessions import Grant
from stockroom.core.callers.identity import MALFORMED_TOKEN
from stockroom.core.context import settings
from stockroom.core.errors import CsrfFailed


@dataclass(frozen=True, slots=True)
class RefreshToken:
    session_id: UUID
    counter: int


def mint(grant: Grant) -> dict[str, Any]:
    """The tokens for a grant, as RFC 6749, 5.1 names them."""
    identity, session_id = str(grant.user_id), str(grant.session_id)
    shared = {"sid": session_id, "csrf": csrf_of(grant.session_id)}
    access = create_access_token(identity, additional_claims={**shared, "role": grant.role.value})
    refresh = create_refresh_token(
        identity,
        expires_delta=grant.expires_at - datetime.now(UTC),
        additional_claims={**shared, "n": grant.counter},
    )
    return {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": settings().access_token_minutes * 60,
    }


def csrf_of(session_id: UUID) -> str:
    """What a page repeats in a header when the tokens of the session are cookies.

    The same for the whole session: a page may read it while another tab refreshes.
    """
    key = settings().jwt_secret_key.encode()
    return hmac.digest(key, b"csrf:" + session_id.bytes, "sha256").hex()


def read_refresh_token(text: str, csrf: str | None = None) -> RefreshToken:
    """:raises InvalidRefreshToken: for anything that is not a refresh token of ours.
    :raises CsrfFailed: if the token holds another value than ``csrf``.
    """
    try:
        match decode_token(text, csrf):
            case {"type": "refresh", "sid": str(session_id), "n": int(counter)}:
                return RefreshToken(UUID(session_id), counter)
    except CSRFError:
        raise CsrfFailed from None
    except (*MALFORMED_TOKEN, ValueError):
        pass
    raise InvalidRefreshToken

"""The tokens that stand for a session: minted for a grant, and read back."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token

from stockroom.auth.errors import InvalidRefreshToken
from stockroom.auth.sessions import Grant
from stockroom.core.context import settings
from stockroom.core.identity import MALFORMED_TOKEN


@dataclass(frozen=True, slots=True)
class RefreshToken:
    session_id: UUID
    counter: int


def mint(grant: Grant) -> dict[str, Any]:
    """The tokens for a grant, as RFC 6749, 5.1 names them."""
    identity, session_id = str(grant.user.id), str(grant.session_id)
    claims = {"sid": session_id, "role": grant.user.role.value}
    access = create_access_token(identity, additional_claims=claims)
    refresh = create_refresh_token(
        identity,
        expires_delta=grant.expires_at - datetime.now(UTC),
        additional_claims={"sid": session_id, "n": grant.counter},
    )
    return {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": settings().access_token_minutes * 60,
    }


def read_refresh_token(text: str) -> RefreshToken:
    """:raises InvalidRefreshToken: for anything that is not a refresh token of ours."""
    try:
        match decode_token(text):
            case {"type": "refresh", "sid": str(session_id), "n": int(counter)}:
                return RefreshToken(UUID(session_id), counter)
    except (*MALFORMED_TOKEN, ValueError):
        pass
    raise InvalidRefreshToken

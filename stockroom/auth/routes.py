from typing import Any
from uuid import UUID

from flask import Response, request

from stockroom.auth import cookies, oauth, service, sessions, tokens
from stockroom.auth.errors import (
    BadCredentials,
    EmailNotVerified,
    InvalidRefreshToken,
    RefreshTokenReused,
    SessionEnded,
    SessionNotFound,
    TokenRequestRefused,
    TooManyAttempts,
)
from stockroom.auth.models import LoginSession
from stockroom.auth.schemas import (
    CredentialsSchema,
    LogoutQuery,
    PasswordChangeSchema,
    ReauthenticationSchema,
    RefreshSchema,
    SessionSchema,
    TokenRequestSchema,
    TokensSchema,
    TransportQuery,
)
from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import CSRF_HEADER, Access, current_caller
from stockroom.core.context import client_address
from stockroom.core.errors import CsrfFailed
from stockroom.core.http.operations import header_references
from stockroom.core.http.pages import PageQuery, page_request
from stockroom.core.pagination import Page
from stockroom.core.permissions import Permission
from stockroom.second_factor.errors import BadCode, SecondFactorRequired

blueprint = Blueprint("auth", __name__, url_prefix="/auth", description="Login and sessions.")

AS_COOKIES: dict[str, Any] = {
    "description": "The tokens are in cookies.",
    "headers": header_references(["Set-Cookie", CSRF_HEADER]),
}


@blueprint.post("/login")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(CredentialsSchema)
@blueprint.arguments(TransportQuery, location="query")
@blueprint.response(200, TokensSchema)
@blueprint.alt_response(204, **AS_COOKIES, success=True)
@blueprint.raises(BadCredentials, EmailNotVerified, SecondFactorRequired, BadCode, TooManyAttempts)
def log_in(
    credentials: dict[str, str], query: dict[str, cookies.Transport]
) -> dict[str, Any] | Response:
    """Log in: open a session, and get its tokens."""
    grant = service.log_in(**credentials, device=_device())
    is_browser = query["transport"] is cookies.Transport.COOKIE
    return cookies.hand_over(grant) if is_browser else tokens.mint(grant)


@blueprint.post("/token")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(TokenRequestSchema, location="form")
@blueprint.response(200, TokensSchema)
@blueprint.raises(TokenRequestRefused, TooManyAttempts)
def request_token(form: dict[str, str]) -> dict[str, Any]:
    """Log in or refresh as OAuth 2.0 has it (RFC 6749)."""
    return tokens.mint(oauth.exchange(form, _device()))


@blueprint.post("/refresh")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_refresh")
@blueprint.optional_body(RefreshSchema)
@blueprint.response(200, TokensSchema)
@blueprint.alt_response(204, **AS_COOKIES, success=True)
@blueprint.raises(InvalidRefreshToken, RefreshTokenReused, SessionEnded, CsrfFailed)
def refresh(body: dict[str, str] | None) -> dict[str, Any] | Response:
    """Exchange a refresh token for new tokens; each one is good for one exchange.

    Without a body, the token is that of the cookie, and so are the new ones.
    """
    if body is None:
        return cookies.refresh(_device())
    token = tokens.read_refresh_token(body["refresh_token"])
    return tokens.mint(sessions.refresh(token.session_id, token.counter, _device()))


@blueprint.post("/logout")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.arguments(LogoutQuery, location="query")
@blueprint.response(204, headers=header_references(["Set-Cookie"]))
def log_out(query: dict[str, sessions.Scope]) -> None:
    """End this session, all others of yours, or all; their tokens stop working at once."""
    sessions.log_out(current_caller(), query["scope"])
    cookies.clear_after_logout(query["scope"])


@blueprint.get("/sessions")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.page(SessionSchema)
def list_sessions(query: dict[str, Any]) -> Page[LoginSession]:
    """List your open sessions, newest first."""
    return sessions.list_sessions(current_caller(), page_request(query))


@blueprint.delete("/sessions/<uuid:session_id>")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.response(204)
@blueprint.raises(SessionNotFound)
def end_session(session_id: UUID) -> None:
    """End one of your sessions."""
    sessions.end_session(current_caller(), session_id)


@blueprint.post("/reauthenticate")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(ReauthenticationSchema)
@blueprint.response(204)
@blueprint.raises(BadCredentials, SecondFactorRequired, BadCode, TooManyAttempts)
def reauthenticate(body: dict[str, str]) -> None:
    """Give your password once more, to change what opens doors."""
    service.reauthenticate(current_caller(), **body)


@blueprint.post("/password/change")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(PasswordChangeSchema)
@blueprint.response(204)
@blueprint.raises(BadCredentials, TooManyAttempts)
def change_password(body: dict[str, str]) -> None:
    """Give yourself another password, and end your other sessions."""
    service.change_password(current_caller(), body["current_password"], body["new_password"])


def _device() -> sessions.Device:
    return sessions.Device(request.user_agent.string.strip()[:300] or None, client_address.get())

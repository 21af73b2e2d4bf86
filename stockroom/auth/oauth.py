"""The token endpoint of OAuth 2.0 (RFC 6749), for Swagger UI and for OAuth clients."""

from stockroom.auth import service, sessions
from stockroom.auth.errors import TokenRequestRefused
from stockroom.auth.sessions import Device, Grant
from stockroom.auth.tokens import read_refresh_token
from stockroom.core.errors import Unauthenticated


def exchange(form: dict[str, str], device: Device) -> Grant:
    """The grant that a token request asks for.

    :raises TokenRequestRefused: if the request is incomplete or what it offers is not valid.
    """
    try:
        match form:
            case {"grant_type": "password", "username": email, "password": password}:
                return service.log_in(email, password, device, form.get("code"))
            case {"grant_type": "refresh_token", "refresh_token": text}:
                token = read_refresh_token(text)
                return sessions.refresh(token.session_id, token.counter, device)
    except Unauthenticated as error:
        raise TokenRequestRefused("invalid_grant", error.detail) from None
    if form.get("grant_type") in {"password", "refresh_token"}:
        raise TokenRequestRefused("invalid_request", "A parameter of this grant is missing.")
    if "grant_type" in form:
        raise TokenRequestRefused("unsupported_grant_type", "Use password or refresh_token.")
    raise TokenRequestRefused("invalid_request", "grant_type is missing.")

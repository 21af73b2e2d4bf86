"""Browser mode: the tokens of a session in cookies, which no script of a page can read."""

from enum import StrEnum

from flask import Response, after_this_request, current_app
from flask_jwt_extended import (
    get_jwt_request_location,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
)

from stockroom.auth import sessions, tokens
from stockroom.auth.errors import InvalidRefreshToken
from stockroom.auth.sessions import Device, Grant, Scope
from stockroom.core.callers.identity import CSRF_HEADER, sent_cookie, sent_csrf_token
from stockroom.core.context import settings
from stockroom.core.database import now
from stockroom.core.errors import Unauthenticated


class Transport(StrEnum):
    """How a client gets the tokens of its login, and keeps them."""

    BODY = "body"
    COOKIE = "cookie"


def hand_over(grant: Grant) -> Response:
    """204 with the tokens for a grant as cookies, and the value that calls by cookie repeat."""
    minted, csrf = tokens.mint(grant), tokens.csrf_of(grant.session_id)
    seconds_left = max(1, round((grant.expires_at - now()).total_seconds()))
    response = current_app.response_class(status=204)
    access_seconds = settings().access_token_minutes * 60
    set_access_cookies(response, minted["access_token"], max_age=access_seconds)
    set_refresh_cookies(response, minted["refresh_token"], max_age=seconds_left)
    _set_csrf_cookie(response, csrf, seconds_left)
    # A page of another host has no way to read the cookie.
    response.headers[CSRF_HEADER] = csrf
    return response


def refresh(device: Device) -> Response:
    """Exchange the refresh token in the request's cookie; one that is not good is cleared.

    :raises InvalidRefreshToken: if there is no such cookie, or it holds no refresh token.
    :raises CsrfFailed: if the request does not repeat what the cookie's token holds.
    :raises SessionEnded: if the session is over or its account inactive.
    :raises RefreshTokenReused: for an older token; the session is then ended.
    """
    text = sent_cookie("JWT_REFRESH_COOKIE_NAME")
    if text is None:
        raise InvalidRefreshToken("Send a refresh token, in the body or as a cookie.")
    csrf = sent_csrf_token()
    try:
        token = tokens.read_refresh_token(text, csrf)
        return hand_over(sessions.refresh(token.session_id, token.counter, device))
    except Unauthenticated:
        after_this_request(_clear)
        raise


def clear_after_logout(scope: Scope) -> None:
    """Let the browser forget the session, if its cookies made the request and it was ended."""
    if get_jwt_request_location() == "cookies" and scope is not Scope.OTHERS:
        after_this_request(_clear)


def _clear(response: Response) -> Response:
    unset_jwt_cookies(response)
    _set_csrf_cookie(response, "", 0)
    return response


def _set_csrf_cookie(response: Response, value: str, max_age_seconds: int) -> None:
    # One for both tokens, which flask-jwt-extended would give a cookie each.
    config = current_app.config
    response.set_cookie(
        config["JWT_ACCESS_CSRF_COOKIE_NAME"],
        value,
        max_age=max_age_seconds,
        secure=config["JWT_COOKIE_SECURE"],
        samesite=config["JWT_COOKIE_SAMESITE"],
    )

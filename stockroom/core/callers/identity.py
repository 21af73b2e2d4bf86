"""Who is calling: by an access token, in its header or in a cookie, or by an API key.

A feature above tells how to find the caller of a token: with ``bind_token_finder``, and with
``jwt.user_lookup_loader`` for one in a cookie.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import TypeGuard

from flask import current_app, g, request
from flask_jwt_extended import get_current_user, verify_jwt_in_request
from flask_jwt_extended.exceptions import CSRFError, JWTExtendedException, NoAuthorizationError
from jwt import ExpiredSignatureError, PyJWTError

from stockroom.core.callers.key_header import API_KEY, key_finder
from stockroom.core.callers.token_header import token_finder
from stockroom.core.context import Actor, actor, settings
from stockroom.core.database import now
from stockroom.core.errors import (
    CsrfFailed,
    PermissionDenied,
    RecentLoginRequired,
    Unauthenticated,
)
from stockroom.core.permissions import SCOPES, Caller, Permission

# The libraries let the header and the JSON of a token fail in two ways of their own: a header
# of commas alone, and brackets nested deeper than the interpreter goes.
MALFORMED_TOKEN = (JWTExtendedException, PyJWTError, IndexError, RecursionError)


_NOT_VALID = "The access token is not valid."
_ONE_WORD = re.compile(r"[^\s,]+")

CSRF_HEADER = "X-CSRF-Token"
"""What repeats the value of a cookie, as no page of another origin can."""

TICKET = "ticket"
"""The parameter of a query that holds a ticket."""

Redeem = Callable[[str], Caller | None]
"""Uses up a ticket: whom it lets in, None if it is not good (any more)."""


class Access(Enum):
    """What a route asks for that needs no permission."""

    PUBLIC = "public"
    """Credentials are not looked at: a client with a stale token must be able to log in."""
    ANYONE = "anyone"
    """Nobody in particular; but credentials that are sent must be valid."""


def admit(
    access: Access | Permission,
    redeem: Redeem | None = None,
    *,
    recent: bool = False,
    cookies: bool = True,
) -> None:
    """Let the request pass if its caller may, and remember the caller.

    :param redeem: where a ticket in the query is good in place of a token.
    :param recent: whether the caller must have given the password not long ago.
    :param cookies: whether a cookie is good in place of a header.
    :raises Unauthenticated: if credentials are needed or not valid.
    :raises PermissionDenied: if the caller's role, or the API key, lacks the permission.
    :raises RecentLoginRequired: if the password was given too long ago.
    :raises CsrfFailed: if a cookie came without the header that goes with it.
    """
    if access is Access.PUBLIC:
        return
    if redeem and TICKET in request.args:
        caller: Caller | None = _caller_of_ticket(redeem)
    elif API_KEY in request.headers:
        caller = _caller_of_key()
    else:
        caller = _caller_of_token(optional=access is Access.ANYONE, cookies=cookies)
    if isinstance(access, Permission) and (caller is None or not caller.may(access)):
        raise PermissionDenied(_denial(caller, access))
    if recent and not (caller and _has_logged_in_recently(caller)):
        raise RecentLoginRequired
    g.caller = caller
    actor.set(Actor(caller.user_id, caller.session_id, caller.key_id) if caller else None)


def current_caller() -> Caller:
    """The caller of a route that asks for a permission."""
    caller = g.caller
    if not isinstance(caller, Caller):
        raise Unauthenticated
    return caller


def is_somebody() -> bool:
    """Whether the request has a caller at all."""
    return g.get("caller") is not None


def caller_may(permission: Permission) -> bool:
    """Whether the caller, if there is one, has the permission."""
    caller: Caller | None = g.get("caller")
    return caller is not None and caller.may(permission)


def sent_cookie(setting: str) -> str | None:
    """The value of the cookie whose name flask-jwt-extended keeps under this setting.

    Cookies count only where nothing else says who is calling.
    """
    return request.cookies.get(current_app.config[setting]) if _cookies_count() else None


def sent_token() -> str | None:
    """The access token of the request, whether good or not."""
    return _token_in_header() or sent_cookie("JWT_ACCESS_COOKIE_NAME")


def _token_in_header() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def sent_csrf_token() -> str:
    """:raises CsrfFailed: if the header that goes with cookies is missing."""
    _drop_odd_csrf_token()
    if not (sent := request.headers.get(CSRF_HEADER)):
        raise CsrfFailed
    return sent


def _cookies_count() -> bool:
    return not ("Authorization" in request.headers or "X-API-Key" in request.headers)


def _drop_odd_csrf_token() -> None:
    # Only ASCII can be compared in constant time (``hmac.compare_digest``).
    if not request.headers.get(CSRF_HEADER, "").isascii():
        del request.environ["HTTP_X_CSRF_TOKEN"]


def _has_logged_in_recently(caller: Caller) -> bool:
    earliest = now() - timedelta(minutes=settings().recent_login_minutes)
    return caller.authenticated_at is not None and caller.authenticated_at >= earliest


def _denial(caller: Caller | None, permission: Permission) -> str:
    """What to do about it, where it is the key that lacks the permission; else nothing."""
    if caller is None or caller.scopes is None or permission in caller.scopes:
        return ""
    if permission not in SCOPES:
        return "No API key may do this: it takes a session, which a login opens."
    return f"The API key does not have the scope {permission}."


def _caller_of_key() -> Caller:
    if "Authorization" in request.headers:
        raise Unauthenticated(f"Send either Authorization or {API_KEY}, not both.")
    caller = key_finder().find(request.headers[API_KEY])
    if caller is None:
        raise Unauthenticated(
            "The API key is not valid: it was mistyped or revoked, has expired, or its owner may "
            "not log in."
        )
    return caller


def _caller_of_ticket(redeem: Redeem) -> Caller:
    caller = redeem(request.args[TICKET])
    if caller is None:
        raise Unauthenticated("The ticket was used, has expired or is none: ask for another one.")
    return caller


def _caller_of_token(*, optional: bool, cookies: bool) -> Caller | None:
    _spell_scheme()
    _drop_odd_csrf_token()
    location = "cookies" if cookies and _cookies_count() else "headers"
    try:
        if _is_one_word(token := _token_in_header()):
            return _found(token_finder().find(token))
        verify_jwt_in_request(optional=optional, locations=location)
    except NoAuthorizationError:
        raise Unauthenticated("Send an access token: Authorization: Bearer …") from None
    except CSRFError:
        raise CsrfFailed from None
    except ExpiredSignatureError:
        raise Unauthenticated("The access token has expired; refresh it.") from None
    except MALFORMED_TOKEN:
        raise Unauthenticated(_NOT_VALID) from None
    caller: Caller | None = get_current_user()
    return caller


def _is_one_word(token: str | None) -> TypeGuard[str]:
    """Whether nothing about it has to be made out first, as flask-jwt-extended does."""
    return token is not None and _ONE_WORD.fullmatch(token) is not None


def _found(caller: Caller | None) -> Caller:
    if caller is None:
        raise Unauthenticated(_NOT_VALID)
    return caller


def _spell_scheme() -> None:
    """Write ``Bearer`` as flask-jwt-extended knows it: schemes have no case (RFC 9110, 11.1).

    :raises Unauthenticated: for another scheme, which would otherwise count as none at all.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send an access token: Authorization: Bearer …")
    request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token.strip()}"

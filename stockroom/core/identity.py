"""Who is calling, by the access token or the API key of the request.

A feature above tells with ``jwt.user_lookup_loader`` how to find the caller of a token.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from flask import g, request
from flask_jwt_extended import get_current_user, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException, NoAuthorizationError
from jwt import ExpiredSignatureError, PyJWTError

from stockroom.core.context import Actor, actor, settings
from stockroom.core.database import now
from stockroom.core.errors import PermissionDenied, RecentLoginRequired, Unauthenticated
from stockroom.core.key_header import API_KEY, key_finder
from stockroom.core.permissions import SCOPES, Caller, Permission

# The libraries let the header and the JSON of a token fail in two ways of their own: a header
# of commas alone, and brackets nested deeper than the interpreter goes.
MALFORMED_TOKEN = (JWTExtendedException, PyJWTError, IndexError, RecursionError)


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
    access: Access | Permission, redeem: Redeem | None = None, *, recent: bool = False
) -> None:
    """Let the request pass if its caller may, and remember the caller.

    :param redeem: where a ticket in the query is good in place of a token.
    :param recent: whether the caller must have given the password not long ago.
    :raises Unauthenticated: if credentials are needed or not valid.
    :raises PermissionDenied: if the caller's role, or the API key, lacks the permission.
    :raises RecentLoginRequired: if the password was given too long ago.
    """
    if access is Access.PUBLIC:
        return
    if redeem and TICKET in request.args:
        caller: Caller | None = _caller_of_ticket(redeem)
    elif API_KEY in request.headers:
        caller = _caller_of_key()
    else:
        caller = _caller_of_token(optional=access is Access.ANYONE)
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


def caller_may(permission: Permission) -> bool:
    """Whether the caller, if there is one, has the permission."""
    caller: Caller | None = g.get("caller")
    return caller is not None and caller.may(permission)


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


def _caller_of_token(*, optional: bool) -> Caller | None:
    _spell_scheme()
    try:
        verify_jwt_in_request(optional=optional)
    except NoAuthorizationError:
        raise Unauthenticated("Send an access token: Authorization: Bearer …") from None
    except ExpiredSignatureError:
        raise Unauthenticated("The access token has expired; refresh it.") from None
    except MALFORMED_TOKEN:
        raise Unauthenticated("The access token is not valid.") from None
    caller: Caller | None = get_current_user()
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

"""Whom a hot read counts for, where Flask has no part in it."""

import re
from collections.abc import Callable
from wsgiref.types import WSGIEnvironment

from stockroom.core.callers.networks import network_of
from stockroom.core.permissions import Caller, Permission

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._-]+)")

Find = Callable[[str], Caller | None]
"""The caller of a token, where that is known; or raises what is the matter with it."""


def counted_for(environ: WSGIEnvironment, find: Find) -> str | None:
    """The account, or the network of who sends no token; None if Flask has to make it out.

    Staff are none of those who share answers.
    """
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return network_of(environ.get("REMOTE_ADDR") or "127.0.0.1")
    token = _BEARER.fullmatch(header)
    caller = find(token[1]) if token else None
    if caller is None or caller.may(Permission.CATALOGUE_WRITE):
        return None
    return str(caller.user_id)

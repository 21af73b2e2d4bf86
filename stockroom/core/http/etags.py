"""Conditional requests (RFC 9110, 13): ETag out, If-Match and If-None-Match in."""

from http import HTTPStatus

from flask import Flask, Response, g, request

from stockroom.core.errors import PreconditionRequired
from stockroom.core.versions import ANY_VERSION, ExpectedVersion


def expected_version() -> ExpectedVersion:
    """The version that ``If-Match`` names; ``*`` accepts any.

    :raises PreconditionRequired: if the header is missing.
    """
    if request.if_match.star_tag:
        return ANY_VERSION
    if "If-Match" not in request.headers:
        raise PreconditionRequired
    # Weak tags never match here (RFC 9110, 13.1.1).
    # Werkzeug reads an empty tag, which is a good one (RFC 9110, 8.8.3), as None.
    return ExpectedVersion(frozenset(tag or "" for tag in request.if_match.as_set()))


def init_app(app: Flask) -> None:
    app.after_request(_tag)


def _tag(response: Response) -> Response:
    """Add the ETag that the view found; answer 304 if the client has that version."""
    if "etag" in g and response.status_code < HTTPStatus.BAD_REQUEST:
        response.set_etag(g.etag)
        response.headers["Cache-Control"] = "no-cache"
        # A read asks with If-None-Match alone; werkzeug's make_conditional would answer If-Match
        # as well, and not with a problem.
        is_read = request.method in {"GET", "HEAD"}
        if is_read and request.if_none_match.contains_weak(g.etag):
            response.status_code = HTTPStatus.NOT_MODIFIED
    return response

"""Errors as RFC 9457 problem documents, for every status, and the pages that explain them."""

from collections.abc import Mapping
from http import HTTPStatus
from inspect import getdoc
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, make_response, render_template
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as NoSuchPage

from stockroom.core import errors
from stockroom.core.http.http_problems import HTTP_PROBLEM_BY_SLUG, INTERNAL_ERROR, http_problem

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

_STATUS: dict[type[errors.DomainError], HTTPStatus] = {
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Gone: HTTPStatus.GONE,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.PermissionDenied: HTTPStatus.FORBIDDEN,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.UpgradeRequired: HTTPStatus.UPGRADE_REQUIRED,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

_HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="stockroom"'},
    HTTPStatus.UPGRADE_REQUIRED: {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_SECONDS)},
}

blueprint = Blueprint("problems", __name__, template_folder="templates")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_error_handler(errors.DomainError, from_domain_error)
    app.register_error_handler(HTTPException, from_http_exception)
    app.register_error_handler(Exception, from_bug)


def status_of(error: type[errors.DomainError]) -> HTTPStatus:
    """The status of a kind of error, which its subclasses share."""
    return next(_STATUS[kind] for kind in error.__mro__ if kind in _STATUS)


def problem(
    status: int,
    *,
    slug: str,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> Response:
    """A problem document with the headers that its status calls for."""
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "request_id": g.get("request_id"),
        **extensions,
    }
    response: Response = jsonify(body)
    response.status_code, response.mimetype = status, MEDIA_TYPE
    response.headers.update({**_HEADERS.get(HTTPStatus(status), {}), **(headers or {})})
    return response


def from_domain_error(error: errors.DomainError) -> Response:
    status = status_of(type(error))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("unavailable", reason=error.detail, cause=repr(error.__cause__))
    return problem(
        status,
        slug=error.slug,
        title=error.title,
        detail=error.detail,
        headers=_headers_of(error),
        **error.extensions,
    )


def _headers_of(error: errors.DomainError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)} if error.retry_after else {}


def from_http_exception(error: HTTPException) -> Response | HTTPException:
    """The problem for what Flask and its extensions refuse; redirects pass unchanged."""
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    if error.response is not None:
        return error
    known = http_problem(error.code)
    headers = dict(error.get_headers())
    headers.pop("Content-Type", None)
    return problem(
        error.code,
        slug=known.slug,
        title=known.title,
        detail=_detail(error) or known.explanation,
        headers=headers,
    )


def from_bug(error: Exception) -> Response:
    """An error nobody foresaw: logged with its trace, answered without a word of it."""
    log.error("unhandled exception", exc_info=error)
    return problem(
        INTERNAL_ERROR.status,
        slug=INTERNAL_ERROR.slug,
        title=INTERNAL_ERROR.title,
        detail=INTERNAL_ERROR.explanation,
    )


@blueprint.get("/problems/<slug>")
def explain(slug: str) -> Response:
    """The page behind a problem's ``type``, for a developer who follows it."""
    if error := errors.error_for_slug(slug):
        page = (status_of(error), error.title, getdoc(error))
    elif known := HTTP_PROBLEM_BY_SLUG.get(slug):
        page = (known.status, known.title, known.explanation)
    else:
        raise NoSuchPage
    status, title, text = page
    response = make_response(
        render_template("problem.html", slug=slug, status=int(status), title=title, text=text)
    )
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


def _detail(error: HTTPException) -> str | None:
    if isinstance(error, RateLimitExceeded):
        return f"The limit is {error.description}."
    # Werkzeug's own sentences speak of servers and browsers; a class without one is ours.
    return error.description if error.description != type(error).description else None

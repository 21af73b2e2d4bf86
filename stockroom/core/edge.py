"""The border of the application: request ids, security headers, HTTPS, proxies, CORS."""

import re
from time import perf_counter
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from stockroom.config import Settings
from stockroom.core.context import actor, client_address, request_id, settings
from stockroom.core.database import new_id
from stockroom.core.identity import CSRF_HEADER

log = structlog.get_logger(__name__)

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_YEAR_SECONDS = 365 * 24 * 60 * 60

_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    # Tokens must not be stored (RFC 6749, 5.1), nor what one account may see be shown to another.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_EXPOSED_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    CSRF_HEADER,
    "X-Request-ID",
]


def init_app(app: Flask, settings: Settings) -> None:
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.teardown_request(_forget)
    if settings.force_https:
        app.before_request(_require_https)
        app.after_request(_promise_https)
    app.after_request(_finish)
    if settings.cors_origins:
        CORS(
            app,
            origins=settings.cors_origins,
            expose_headers=_EXPOSED_HEADERS,
            max_age=600,
            # Never for whoever asks: cookies are for pages that were named.
            supports_credentials="*" not in settings.cors_origins,
            # A request without Origin would be told all origins, in several headers.
            always_send=False,
        )


def _begin() -> None:
    """Give the request an id, which every log line and problem of it carries."""
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _SANE_REQUEST_ID.fullmatch(sent) else str(new_id())
    g.began = perf_counter()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)
    request_id.set(g.request_id)
    # A test calls from the context that it is in itself: nobody is left over from another request.
    actor.set(None)
    # A proxy may add a port or a zone to the address, and a socket file has none.
    client_address.set((request.remote_addr or "")[:45] or None)
    if not request.host:
        raise BadRequest("The header Host is malformed.")


def _forget(_error: BaseException | None) -> None:
    """The thread's next words, such as the server's own on a connection, are not of this one."""
    clear_contextvars()
    request_id.set(None)
    client_address.set(None)
    actor.set(None)


def _finish(response: Response) -> Response:
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.request_id
    if settings().cors_origins:
        # Also where this request has no Origin: a shared cache must not hand it to one that has.
        response.vary.add("Origin")
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        milliseconds=round((perf_counter() - g.began) * 1000, 1),
        address=request.remote_addr,
    )
    return response


def _require_https() -> ResponseReturnValue | None:
    # Health checks come from inside, over plain HTTP.
    if request.is_secure or request.path in {"/healthz", "/readyz"}:
        return None
    # The client chooses Host, and would with it choose where the answer leads.
    host = urlsplit(settings().public_url).netloc or request.host
    return redirect(urlsplit(request.url)._replace(scheme="https", netloc=host).geturl(), 308)


def _promise_https(response: Response) -> Response:
    # Browsers ignore it over plain HTTP, where it must not be sent (RFC 6797, 7.2).
    if request.is_secure:
        promise = f"max-age={_YEAR_SECONDS}; includeSubDomains"
        response.headers["Strict-Transport-Security"] = promise
    return response

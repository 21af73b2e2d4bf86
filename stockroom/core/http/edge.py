"""The border of the application: request ids, security headers, HTTPS, proxies, CORS."""

from time import perf_counter
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_cors import CORS
from werkzeug.exceptions import BadRequest

from stockroom.config import Settings
from stockroom.core.callers.identity import CSRF_HEADER
from stockroom.core.context import settings
from stockroom.core.http import request_scope
from stockroom.core.http.proxies import Proxies

HTTPS_PROMISE = f"max-age={365 * 24 * 60 * 60}; includeSubDomains"

SECURITY_HEADERS = {
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
        app.wsgi_app = Proxies(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
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
    g.request_id = request_scope.begin(request.headers.get("X-Request-ID", ""), request.remote_addr)
    g.began = perf_counter()
    _require_host()


def _require_host() -> None:
    # Where there is none, werkzeug takes the server's own name; only HTTP/1.0 may leave it out.
    is_left_out = "Host" not in request.headers
    if is_left_out and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0":
        raise BadRequest("The header Host is missing.")
    if not request.host:
        raise BadRequest("The header Host is malformed.")


def _forget(_error: BaseException | None) -> None:
    request_scope.end()


def _finish(response: Response) -> Response:
    # All at once: for each one that is set, werkzeug would go through those that are there.
    told = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - no dict
    response.headers.extend(
        {name: value for name, value in SECURITY_HEADERS.items() if name.lower() not in told}
    )
    response.headers["X-Request-ID"] = g.request_id
    if settings().cors_origins:
        # Also where this request has no Origin: a shared cache must not hand it to one that has.
        response.vary.add("Origin")
    request_scope.note(
        g.began,
        response.status_code,
        own_id=g.request_id,
        method=request.method,
        endpoint=request.endpoint,
        path=request.path,
        address=request.remote_addr,
    )
    return response


def _require_https() -> ResponseReturnValue | None:
    # Health checks and Prometheus come from inside, over plain HTTP.
    if request.is_secure or request.path in {"/healthz", "/readyz", "/metrics"}:
        return None
    # The client chooses Host, and would with it choose where the answer leads.
    host = urlsplit(settings().public_url).netloc or request.host
    return redirect(urlsplit(request.url)._replace(scheme="https", netloc=host).geturl(), 308)


def _promise_https(response: Response) -> Response:
    # Browsers ignore it over plain HTTP, where it must not be sent (RFC 6797, 7.2).
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = HTTPS_PROMISE
    return response

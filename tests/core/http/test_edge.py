"""The border: request ids, security headers, HTTPS, proxies, CORS."""

from collections.abc import Callable

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from stockroom.core.context import client_address
from tests.api import Api, assert_problem

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/problems/not-found", "/nowhere",
     "/api/v1/products", "/api/v1/users/me"],
)  # fmt: skip
def test_security_headers_are_on_every_answer(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-ID"]
    assert "Cache-Control" in headers
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("sent", ["abc-123", "a", "x" * 128, "2f/trace:1+2=3"])
def test_a_sane_request_id_is_taken(nobody: Api, sent: str) -> None:
    response = nobody.get("/nowhere", headers={"X-Request-ID": sent})
    assert response.headers["X-Request-ID"] == sent
    assert_problem(response, 404, "not-found")


@pytest.mark.parametrize("sent", ["", "x" * 129, "two words", "<script>", "naïve", "a;b", "a,b"])
def test_any_other_request_id_is_replaced(nobody: Api, sent: str) -> None:
    made = nobody.get("/nowhere", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    assert len(made) == 36


def test_each_request_gets_an_id_of_its_own(nobody: Api) -> None:
    assert len({nobody.get("/nowhere").headers["X-Request-ID"] for _ in range(3)}) == 3


@pytest.mark.parametrize(("protocol", "status"), [("HTTP/1.1", 400), ("HTTP/1.0", 200)])
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/products"])
def test_only_http_1_0_may_leave_the_host_out(
    app: Flask, path: str, protocol: str, status: int
) -> None:
    """RFC 9112, 3.2."""
    environ = create_environ(path)
    environ.pop("HTTP_HOST")
    environ["SERVER_PROTOCOL"] = protocol
    _body, line, _headers = run_wsgi_app(app, environ)
    assert line.startswith(str(status))


def test_plain_http_is_redirected_where_https_is_required(make_app: Callable[..., Flask]) -> None:
    client = make_app(force_https=True).test_client()
    response = client.post("/api/v1/auth/login?next=1", base_url="http://api.example")
    assert response.status_code == 308
    assert response.headers["Location"] == "https://api.example/api/v1/auth/login?next=1"


def test_the_promise_of_https_is_made_over_https_alone(make_app: Callable[..., Flask]) -> None:
    client = make_app(force_https=True).test_client()
    assert "Strict-Transport-Security" not in client.get("/api/v1/products").headers
    promise = client.get("/api/v1/products", base_url="https://api.example").headers
    assert promise["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_over_plain_http(make_app: Callable[..., Flask], path: str) -> None:
    assert make_app(force_https=True).test_client().get(path).status_code == 200


def test_behind_a_trusted_proxy_its_word_on_https_counts(make_app: Callable[..., Flask]) -> None:
    client = make_app(force_https=True, trusted_proxies=1).test_client()
    assert client.get("/api/v1/products", headers={"X-Forwarded-Proto": "https"}).status_code == 200


def test_without_a_trusted_proxy_nobody_may_claim_https(make_app: Callable[..., Flask]) -> None:
    client = make_app(force_https=True).test_client()
    assert client.get("/api/v1/products", headers={"X-Forwarded-Proto": "https"}).status_code == 308


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [(0, "127.0.0.1"), (1, "192.0.2.3"), (2, "192.0.2.2"), (3, "192.0.2.1"), (4, "127.0.0.1")],
)
def test_proxies_are_believed_only_as_far_as_they_are_trusted(
    make_app: Callable[..., Flask], trusted: int, seen: str
) -> None:
    app = make_app(trusted_proxies=trusted)
    app.add_url_rule("/address", "address", lambda: request.remote_addr or "")
    forwarded = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 192.0.2.3"}
    assert app.test_client().get("/address", headers=forwarded).text == seen


@pytest.mark.parametrize("sent", ['"', '"192.0.2.9', "192.0.2.9, ", "", ",,,", "\\"])
def test_a_client_cannot_hide_what_the_proxy_says_of_it(
    make_app: Callable[..., Flask], sent: str
) -> None:
    app = make_app(trusted_proxies=1)
    app.add_url_rule("/address", "address", lambda: client_address.get() or "")
    forwarded = {"X-Forwarded-For": f"{sent}, 203.0.113.9"}
    assert app.test_client().get("/address", headers=forwarded).text == "203.0.113.9"


@pytest.mark.parametrize(
    "added", ["203.0.113.9:40000", "::ffff:203.0.113.9", "[::ffff:cb00:7109]:1"]
)
def test_an_address_is_the_same_however_the_proxy_writes_it(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture, added: str
) -> None:
    app = make_app(trusted_proxies=1)
    app.add_url_rule("/address", "address", lambda: client_address.get() or "")
    with caplog.at_level("INFO", "stockroom.core.http.edge"):
        answer = app.test_client().get("/address", headers={"X-Forwarded-For": added})
    assert answer.text == caplog.records[-1].msg["address"] == "203.0.113.9"


def test_configured_origins_may_read(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(cors_origins=[SHOP, "https://other.example"]))
    headers = api.get("/products", headers={"Origin": SHOP}).headers
    assert headers.getlist("Access-Control-Allow-Origin") == [SHOP]
    assert "Origin" in headers["Vary"]
    assert "ETag" in headers["Access-Control-Expose-Headers"]
    assert headers["Access-Control-Allow-Credentials"] == "true"


def test_cookies_are_never_for_every_origin(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(cors_origins=["*"]))
    headers = api.get("/products", headers={"Origin": SHOP}).headers
    assert "Access-Control-Allow-Origin" in headers
    assert "Access-Control-Allow-Credentials" not in headers


def test_problems_are_readable_for_configured_origins(make_app: Callable[..., Flask]) -> None:
    response = Api(make_app(cors_origins=[SHOP])).get("/users/me", headers={"Origin": SHOP})
    assert response.headers["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://shop.example", "https://shop.example.evil.example",
     "https://shopxexample", "https://shop.example:8443", "null"],
)  # fmt: skip
def test_other_origins_may_not(make_app: Callable[..., Flask], origin: str) -> None:
    api = Api(make_app(cors_origins=[SHOP]))
    headers = api.get("/products", headers={"Origin": origin}).headers
    assert "Access-Control-Allow-Origin" not in headers
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_request_without_an_origin_is_not_told_any(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(cors_origins=[SHOP, "https://other.example"]))
    assert "Access-Control-Allow-Origin" not in api.get("/products").headers


def test_without_configured_origins_there_is_no_cors(nobody: Api) -> None:
    headers = nobody.get("/products", headers={"Origin": SHOP}).headers
    assert not [name for name, _ in headers if name.startswith("Access-Control")]


def test_a_preflight_allows_what_the_api_takes(make_app: Callable[..., Flask]) -> None:
    names = {"authorization", "content-type", "if-match", "x-api-key", "x-csrf-token"}
    response = preflight(make_app(cors_origins=[SHOP]), SHOP, names)
    assert response.status_code == 200
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    assert set(response.headers["Access-Control-Allow-Headers"].lower().split(", ")) == names
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://a.shop.example", "null"])
def test_a_preflight_allows_other_origins_nothing(
    make_app: Callable[..., Flask], origin: str
) -> None:
    response = preflight(make_app(cors_origins=[SHOP]), origin, {"x-csrf-token", "x-api-key"})
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


def preflight(app: Flask, origin: str, names: set[str]) -> TestResponse:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": ", ".join(names),
    }
    return Api(app).request("OPTIONS", "/users/me", headers=asked)


def test_the_redirect_leads_to_the_public_address_whatever_host_is_sent(
    make_app: Callable[..., Flask],
) -> None:
    client = make_app(force_https=True, public_url="https://api.example").test_client()
    response = client.get("/api/v1/products?q=a%20b", base_url="http://evil.example")
    assert response.headers["Location"] == "https://api.example/api/v1/products?q=a%20b"


def test_answers_differ_by_origin_for_caches_too(make_app: Callable[..., Flask]) -> None:
    response = Api(make_app(cors_origins=[SHOP])).get("/products")
    assert "Origin" in response.headers["Vary"]

"""Addresses, methods and hosts that do not exist."""

from tests.contract.hostile.kinds import API, Hostile, get

_PATHS = [
    *("/", "/api", API, f"{API}/", f"{API}/nothing", "//", "/.", "/..", "/%00", "/%2e%2e", "/*"),
    *(f"{API}/products/", f"{API}//products", f"{API}/Products", f"{API}/products/%20"),
    *(f"{API}/products/1", f"{API}/products/{'0' * 32}", f"{API}/products/{'g' * 36}"),
    f"{API}/products/00000000-0000-0000-0000-000000000000%00",
    f"{API}/products/00000000-0000-0000-0000-000000000000/",
    f"{API}/products/00000000-0000-0000-0000-000000000000",
    *(
        f"{API}/products/by-sku/{sku}"
        for sku in ("%00", "a%00b", "%ff", "%zz", "%", "..", "%2e%2e")
    ),
    f"{API}/products/by-sku/{'x' * 3000}",
    *(f"/docs/assets/{name}" for name in ("", ".", "..", "../docs.py", "../../../../etc/passwd")),
    *(f"/docs/assets/{name}" for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd")),
    *(f"/docs/assets/{name}" for name in ("/etc/passwd", "%5c..%5cetc", "a%00b", "x" * 300)),
    *(
        f"/docs/static/{name}"
        for name in ("../docs.py", "..%2fdocs.py", "%2fetc%2fpasswd", "a%00b")
    ),
    *(f"/problems/{name}" for name in ("nothing", "../healthz", "%00", "{{7*7}}", "x" * 3000)),
    *("/openapi.yaml", "/docs/", "/healthz/x", "/.env", "/.git/config", "/wp-login.php"),
]
_METHODS = [
    *[(method, "/products") for method in ("PUT", "PATCH", "DELETE", "TRACE", "BREW", "QUERY")],
    *[(method, "/auth/login") for method in ("GET", "PUT", "DELETE", "PROPFIND")],
    *[(method, "/users/me") for method in ("POST", "PUT", "LOCK")],
]
_LINES = {
    "no HTTP": b"hello\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "raw bytes in a path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "an address of 10,000 characters": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a proxy's request": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n",
    "an address elsewhere": b"GET http://evil.example/x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a star": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
}

REQUESTS: list[Hostile] = [
    *(Hostile(f"GET {path[:60]}", "GET", path) for path in _PATHS),
    *(Hostile(f"{method} {path}", method, f"{API}{path}").by("admin") for method, path in _METHODS),
    *(Hostile(name, "GET", "", raw=line) for name, line in _LINES.items()),
    *(
        get(f"Host: {host[:40]}", "/products", Host=host)
        for host in ("a b", "a/b", "<script>", "a@b", "a\\b", "shop.example:port", "[::1", "\xff")
    ),
]

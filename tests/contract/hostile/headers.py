"""Headers that contradict each other, or are too many or too long."""

from tests.contract.hostile.kinds import API, Hostile, get

_PRODUCT = "/products/{product}"


def _login(name: str, *lines: bytes, body: bytes = b"{}") -> Hostile:
    head = [f"POST {API}/auth/login HTTP/1.1".encode(), b"Host: a", b"Connection: close", *lines]
    head.append(b"Content-Type: application/json")
    return Hostile(name, "POST", "", raw=b"\r\n".join([*head, b"", body]))


def _delete(name: str, path: str, **headers: str) -> Hostile:
    return Hostile(name, "DELETE", f"{API}{path}", headers=headers)


REQUESTS: list[Hostile] = [
    _login("two lengths", b"Content-Length: 2", b"Content-Length: 50"),
    _login("a list of lengths", b"Content-Length: 2, 50"),
    _login("a length below 0", b"Content-Length: -2"),
    _login("a length with a sign", b"Content-Length: +2"),
    _login("a length in words", b"Content-Length: two"),
    _login("a length of 30 digits", b"Content-Length: " + b"9" * 30),
    _login("a length and chunks", b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    _login("chunks twice", b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    _login("no body", b"Content-Length: 0", body=b""),
    _login("no length", body=b""),
    _login("an unknown expectation", b"Content-Length: 2", b"Expect: miracles"),
    _login("a header without a colon", b"Content-Length: 2", b"Nonsense"),
    _login("a header without a name", b"Content-Length: 2", b": x"),
    _login("a space before the colon", b"Content-Length: 2", b"X-Y : z"),
    _login("a folded header", b"Content-Length: 2", b"X-Y: a\r\n b"),
    _login("a NUL in a header", b"Content-Length: 2", b"X-Y: a\0b"),
    Hostile("no host", "GET", "", raw=f"GET {API}/products HTTP/1.1\r\nX-Y: z\r\n\r\n".encode()),
    _login("two hosts", b"Content-Length: 2", b"Host: b"),
    get("a header of 10,000 characters", "/products", **{"X-Long": "x" * 10_000}),
    get("200 headers", "/products", **{f"X-{number}": "x" for number in range(200)}),
    get("a credential of 8,000 characters", "/users/me", Authorization=f"Bearer {'x' * 8000}"),
    _delete("no If-Match", _PRODUCT).by("staff"),
    _delete("an empty If-Match", _PRODUCT, **{"If-Match": ""}).by("staff"),
    _delete("a weak If-Match", _PRODUCT, **{"If-Match": 'W/"1"'}).by("staff"),
    _delete("an old If-Match", _PRODUCT, **{"If-Match": '"0"'}).by("staff"),
    _delete("an empty tag in If-Match", _PRODUCT, **{"If-Match": '""'}).by("staff"),
    _delete("an empty tag among others", _PRODUCT, **{"If-Match": '"0", ""'}).by("staff"),
    _delete("If-Match of nonsense", _PRODUCT, **{"If-Match": '",,"\xff'}).by("staff"),
    _delete("If-Match that injects", _PRODUCT, **{"If-Match": '"1" OR 1=1'}).by("staff"),
]

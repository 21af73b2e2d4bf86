"""Bodies that are not what they say, or far too much of it."""

import json

from tests.contract.hostile.kinds import API, Hostile, post
from tests.contract.hostile.values import PRODUCT

FORM = "application/x-www-form-urlencoded"
TEN_MEGABYTES = 10 * 1024 * 1024
LARGE = json.dumps({**PRODUCT, "description": "x" * TEN_MEGABYTES}).encode()


def _chunks(body: bytes, size: int = 64 * 1024) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _chunked(name: str, path: str, content_type: str, chunks: bytes) -> Hostile:
    head = (
        f"POST {API}{path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return Hostile(name, "POST", path, raw=head.encode() + chunks)


def _token(name: str, body: bytes, content_type: str = FORM) -> Hostile:
    return Hostile(name, "POST", f"{API}/auth/token", body, {"Content-Type": content_type})


_NOT_JSON = {
    "nothing": b"",
    "blank": b"  ",
    "a brace": b"{",
    "trailing comma": b'{"email": "a@example.com",}',
    "two values": b"{} {}",
    "single quotes": b"{'email': 1}",
    "a comment": b"{} // ok",
    "NaN": b'{"email": NaN}',
    "-Infinity": b'{"email": -Infinity}',
    "1e999": b'{"email": 1e999}',
    "ten thousand digits": b'{"email": ' + b"9" * 10_000 + b"}",
    "UTF-16": '{"email": "a@example.com"}'.encode("utf-16"),
    "Latin-1": b'{"email": "\xe9"}',
    "overlong UTF-8": b'{"email": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "a NUL": b'{"email": "\0"}',
    "a line break in a string": b'{"email": "a\nb"}',
    "a byte order mark": b'\xef\xbb\xbf{"email": "a@example.com"}',
    "XML": b"<email>a@example.com</email>",
    "a form": b"email=a%40example.com&password=x",
    "gzip": b"\x1f\x8b\x08\x00" + b"\0" * 100,
}
_NOT_AN_OBJECT = [b"null", b"true", b"1", b'"text"', b"[]", b"[{}]"]
_DEEP = {
    "100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "100,000 open arrays": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "33 levels of attributes": json.dumps(PRODUCT)[:-1].encode()
    + b', "attributes": '
    + b'{"a":' * 33
    + b"1"
    + b"}" * 33
    + b"}",
}

REQUESTS: list[Hostile] = [
    *(post("/auth/login", f"login with {name}", body) for name, body in _NOT_JSON.items()),
    *(post("/auth/login", f"login with {body.decode()}", body) for body in _NOT_AN_OBJECT),
    *(post("/products", name, body).by("staff") for name, body in _DEEP.items()),
    *(
        post("/auth/login", f"Content-Type: {kind}", b"{}", **{"Content-Type": kind})
        for kind in (
            *("text/plain", "text/html", "application/xml", "application/octet-stream", "json"),
            *(FORM, "multipart/form-data", "multipart/form-data; boundary=x", "", "*/*", ";;;"),
            "application/jsonp",
        )
    ),
    post("/products", "10 MB of product", LARGE).by("staff"),
    post("/auth/login", "10 MB of login", LARGE),
    post("/auth/login", "10 MB of nonsense", b"\xff" * TEN_MEGABYTES),
    _token("10 MB of form", b"grant_type=" + b"x" * TEN_MEGABYTES),
    _chunked("10 MB in chunks", "/auth/login", "application/json", _chunks(LARGE)),
    _chunked("10 MB of form in chunks", "/auth/token", FORM, _chunks(b"a=" + LARGE)),
    _chunked(
        "a chunk of unknown size", "/auth/login", "application/json", b"zz\r\n{}\r\n0\r\n\r\n"
    ),
    _chunked("a chunk of size -1", "/auth/login", "application/json", b"-1\r\n{}\r\n0\r\n\r\n"),
    _chunked(
        "a chunk longer than said", "/auth/login", "application/json", b"1\r\n{}\r\n0\r\n\r\n"
    ),
    _chunked("no chunk at all", "/auth/login", "application/json", b"0\r\n\r\n"),
    _token("a form that is JSON", b'{"grant_type": "password"}'),
    _token("JSON instead of a form", b'{"grant_type": "password"}', "application/json"),
    _token("an empty form", b""),
    _token("an unknown grant", b"grant_type=client_credentials"),
    _token("a grant twice", b"grant_type=password&grant_type=refresh_token"),
    _token("a form that is not UTF-8", b"grant_type=password&username=%ff&password=%fe"),
    _token("a NUL in a form", b"grant_type=password&username=a%00b&password=x"),
    _token("20,000 parameters", b"&".join(b"p%d=1" % number for number in range(20_000))),
]

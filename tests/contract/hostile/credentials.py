"""Forged tokens, and good tokens for what is somebody else's."""

import json
from typing import Any

from tests.contract.hostile.kinds import API, Hostile, get, post, send

_BEARERS = {
    "nothing": "",
    "a scheme alone": "Bearer",
    "no scheme": "{customer}",
    "another scheme": "Basic YWRtaW46YWRtaW4=",
    "two tokens": "Bearer {customer} {customer}",
    "nonsense": "Bearer nonsense",
    "three dots": "Bearer ...",
    "empty parts": "Bearer e30.e30.e30",
    "bytes": "Bearer \xff\xfe\xfd",
    "a refresh token": "Bearer {refresh}",
    "no signature": "Bearer {unsigned}",
    "half a signature": "Bearer {cut}",
    "another signature": "Bearer {other_secret}",
    "a token that has expired": "Bearer {expired}",
    "a token for somebody else": "Bearer {other_audience}",
    "a token of another issuer": "Bearer {other_issuer}",
    "a session that is not there": "Bearer {no_session}",
    "a session of another user": "Bearer {stolen_session}",
    "ids that are no ids": "Bearer {odd_ids}",
    "a token without a session": "Bearer {without_session}",
}
_COOKIES = {
    "nothing": "",
    "nonsense": "nonsense",
    "quotes": '"; access_token="',
    "a refresh token": "{refresh}",
    "no signature": "{unsigned}",
    "another signature": "{other_secret}",
    "a token that has expired": "{expired}",
}
_FOR_STAFF: list[tuple[str, str, Any]] = [
    ("GET", "/users", None),
    ("GET", "/users/{other_user}", None),
    ("PATCH", "/users/{other_user}", {"role": "customer"}),
    ("DELETE", "/users/{other_user}", None),
    ("POST", "/users", {"email": "new@example.com", "password": "long enough"}),
    ("GET", "/products/export", None),
    ("POST", "/products", {"sku": "MINE", "name": "Mine", "price": "1.00"}),
    ("PATCH", "/products/{product}", {"price": "0.01"}),
    ("PUT", "/products/{product}", {"sku": "MINE", "name": "Mine", "price": "0.01"}),
    ("DELETE", "/products/{product}", None),
]


def _by_customer(method: str, path: str, body: Any) -> Hostile:
    headers = {"If-Match": "*"}
    name = f"{method} {path} by a customer"
    if body is not None:
        return send(method, path, name, body, **headers).by("customer")
    return Hostile(name, method, f"{API}{path}", headers=headers).by("customer")


def _refresh(name: str, token: Any) -> Hostile:
    return post("/auth/refresh", f"refresh with {name}", {"refresh_token": token})


def _log_in(name: str, email: Any, password: Any) -> Hostile:
    return post("/auth/login", f"log in with {name}", {"email": email, "password": password})


REQUESTS: list[Hostile] = [
    *(
        get(f"{name} as a credential", "/users/me", Authorization=credential)
        for name, credential in _BEARERS.items()
    ),
    *(
        get(f"{name} as a cookie", "/users/me", Cookie=f"access_token={value}")
        for name, value in _COOKIES.items()
    ),
    Hostile("refresh with nothing at all", "POST", f"{API}/auth/refresh"),
    get("a bad credential where none is needed", "/products", Authorization="Bearer nonsense"),
    *(_by_customer(*request) for request in _FOR_STAFF),
    get("a draft that only staff see", "/products/{draft}").by("customer"),
    get("a draft by its SKU", "/products/by-sku/DRAFT"),
    Hostile("another's session", "DELETE", f"{API}/auth/sessions/{{other_session}}").by("customer"),
    send("PATCH", "/users/me", "a role of one's own", {"role": "admin"}, **{"If-Match": "*"}).by(
        "customer"
    ),
    _refresh("nonsense", "nonsense"),
    _refresh("an access token", json.dumps({"a": 1})),
    _refresh("a number", 1),
    _refresh("a NUL", "a\0b"),
    _refresh("5,000 characters", "x" * 5000),
    _log_in("a wrong password", "customer@example.com", "wrong"),
    _log_in("an unknown address", "nobody@example.com", "wrong"),
    _log_in("SQL", "' OR 1=1 --", "' OR 1=1 --"),
    _log_in("a NUL", "a\0@example.com", "wrong"),
    _log_in("a list", ["customer@example.com"], "wrong"),
    _log_in("an object", {"$ne": None}, {"$ne": None}),
    _log_in("a password of 100,000 characters", "customer@example.com", "x" * 100_000),
]

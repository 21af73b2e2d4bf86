"""Queries that break their schema, and cursors that nobody was given."""

import base64
import zlib
from urllib.parse import quote

from tests.contract.hostile.kinds import Hostile, get

_HUGE = "9" * 30
_CURSOR = '["-created_at","00000000-0000-0000-0000-000000000000"]'
_VALUES = {
    "limit": [
        "",
        "0",
        "-1",
        "201",
        _HUGE,
        "1.5",
        "1e2",
        "abc",
        "1_0",
        " 5",
        "٣",
        "0x10",
        "\0",
        "null",
    ],
    "count": ["", "1", "yes", "TRUE", "\0"],
    "cursor": [
        *("", "x", ".", "a.b", "\0", "x" * 2001, "'; DROP TABLE products; --"),
        base64.urlsafe_b64encode(_CURSOR.encode()).decode(),
        f"{base64.urlsafe_b64encode(_CURSOR.encode()).decode()}.{'A' * 43}",
        f".{base64.urlsafe_b64encode(zlib.compress(b'0' * 100_000)).decode()}.{'A' * 43}",
    ],
    "q": ["\0", "x" * 201],
    "sku": ["\0", "x" * 65],
    "family": ["\n", "x" * 65],
    "status": ["", "ACTIVE", "deleted"],
    "currency": ["", "eur", "XTS"],
    "price_min": ["", "abc", "-1", "1e3", "NaN", "1" * 12, "0.0001"],
    "price_max": ["Infinity", "1,5"],
    "updated_since": [
        *("", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", _HUGE),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-W01-1T00:00:00Z"),
    ],
    "sort": ["", "relevance", "password", "-", "--name", "name;", "name,price"],
    "fields": ["", "password_hash", "id,", ",", "id,version", "__class__"],
    "page": ["1"],
    "limit[]": ["1"],
}

REQUESTS: list[Hostile] = [
    *(
        get(f"{name}={value[:40]!r} ({len(value)})", f"/products?{quote(name)}={quote(value)}")
        for name, values in _VALUES.items()
        for value in values
    ),
    *(
        get(f"{name} as {query}", f"{path}?{query}").by("admin")
        for name, path, query in [
            ("the cursor of another list", "/users", "cursor={cursor}"),
            ("a cursor cut short", "/products", "cursor={cursor_cut}"),
            ("a cursor for another order", "/products", "cursor={cursor}&sort=price"),
            ("a role", "/users", "role=root"),
            ("a flag", "/users", "is_active=2"),
            ("a format", "/products/export", "format=xlsx"),
        ]
    ),
    Hostile("a scope", "POST", "/api/v1/auth/logout?scope=everyone").by("customer"),
    get("a query that is not UTF-8", "/products?q=%ff%fe"),
    get("a query with overlong UTF-8", "/products?q=%c0%80"),
    get("a query with half a surrogate pair", "/products?q=%ed%a0%80"),
    get("a query with raw UTF-8", "/products?q=\xff"),
]

"""JSON of the wrong type, size or characters."""

from tests.contract.hostile.kinds import Hostile, each_value, post, send

PRODUCT = {"sku": "HOSTILE", "name": "Hostile", "price": "1.00"}
ACCOUNT = {"email": "hostile@example.com", "password": "long enough"}

_TEXTS = [None, 1, True, [], {}, "", " \t", "a\0b", "a\nb", "\ud800", "\u2028", "x" * 100_000]
_PRODUCT_VALUES = {
    "sku": [*_TEXTS, "x" * 65],
    "name": [*_TEXTS, "x" * 201],
    "description": [1, [], "\0", "x" * 10_001],
    "price": [
        *(None, True, [], {}, "", "abc", "1,5", "-1", -1, "1e3", 1e300, 10**50, 0.0001, "0.0001"),
        *("NaN", "Infinity", "1_000", "12.", ".5", "\u0663", "1" * 12, "0x10", "1.00\0"),
    ],
    "currency": [None, 1, "", "eur", "EURO", "XTS", "E\0R"],
    "status": [None, 0, "", "ACTIVE", "deleted"],
    "family": [1, "\0", "x" * 65],
    "options": [
        *(None, [], "x", {"": "x"}, {"a": 1}, {"a": None}, {"a": {}}, {"a": "\0"}, {"\0": "a"}),
        {str(number): "x" for number in range(21)},
    ],
    "attributes": [None, [], "x", {"a": "\0"}, {"\0": 1}, {"a": "\udfff"}, {"a": "x" * 20_001}],
    "id": ["00000000-0000-0000-0000-000000000000"],
    "version": [1],
    "__proto__": [{}],
}
_ACCOUNT_VALUES = {
    "email": [
        *(None, 1, [], "", "a", "a@", "@b.com", "a@b", "a b@example.com", "a@example.com\0"),
        *("a@exa\nmple.com", f"a@{'b' * 250}.com", "a@[127.0.0.1]"),
    ],
    "password": [None, 12345678, [], "", "short", "x" * 129, "\ud800 and more", "x" * 100_000],
    "full_name": [1, {}, "\0", "x" * 201],
    "role": ["admin"],
    "is_active": [True],
}

REQUESTS: list[Hostile] = [
    *(
        post("/products", f"POST /products {name}", body).by("staff")
        for name, body in each_value(PRODUCT, _PRODUCT_VALUES)
    ),
    *(
        post("/auth/register", f"register {name}", body)
        for name, body in each_value(ACCOUNT, _ACCOUNT_VALUES)
    ),
    *(
        send("PATCH", "/users/{other_user}", f"PATCH user {name}", body, **{"If-Match": "*"}).by(
            "admin"
        )
        for name, body in each_value(
            {}, {"role": [None, 1, "", "root", []], "is_active": [None, 0, "true", []]}
        )
    ),
]

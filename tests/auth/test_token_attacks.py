"""Tokens that are not ours, not of the right kind, or not for now: each is a 401."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask

from stockroom.config import Settings
from tests.api import Api, assert_problem
from tests.auth.forging import claims, signed, unsigned
from tests.factories.users import log_in, make_user, token_for

HS256 = {"alg": "HS256", "typ": "JWT"}
LONG_AGO, FAR_OFF = 1_600_000_000, 2**33
NOT_AN_ID = ["", "x", "1", "../..", 7, True, [], {}, "é" * 36, "0" * 500]


def own_claims(app: Flask, settings: Settings) -> dict[str, Any]:
    """The claims of a token that works."""
    token = token_for(app, make_user(app))
    decoded: dict[str, Any] = jwt.decode(
        token, settings.jwt_secret_key, ["HS256"], audience="stockroom"
    )
    return decoded


def assert_refused(app: Flask, token: str) -> None:
    """As a credential for what needs one, and for what is public but looks at what is sent."""
    for path in ("/users/me", "/products"):
        response = Api(app, token).get(path)
        assert_problem(response, 401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_with_the_same_claims_and_signature_works(app: Flask, settings: Settings) -> None:
    token = jwt.encode(own_claims(app, settings), settings.jwt_secret_key, "HS256")
    assert Api(app, token).get("/users/me").status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "RS256", "HS512", 7])
def test_the_algorithm_is_not_the_sender_s_choice(
    app: Flask, settings: Settings, algorithm: object
) -> None:
    assert_refused(app, unsigned({"alg": algorithm}, own_claims(app, settings)))


@pytest.mark.parametrize("key", ["secret", "stockroom", "", "a secret of the tests alone"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_guessed_key_is_refused(app: Flask, settings: Settings, key: str) -> None:
    algorithm = "HS256" if key else "none"
    assert_refused(app, jwt.encode(own_claims(app, settings), key or None, algorithm))


def test_another_hash_with_our_own_key_is_refused(app: Flask, settings: Settings) -> None:
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = jwt.encode(own_claims(app, settings), settings.jwt_secret_key, "HS512")
    assert_refused(app, token)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "evil"},
        {"iss": None},
        {"aud": "evil"},
        {"aud": None},
        {"exp": LONG_AGO},
        {"nbf": FAR_OFF},
        {"iat": FAR_OFF},
        {"type": "refresh"},
        {"type": "evil"},
        {"type": 7},
        {"exp": "soon"},
        {"sub": None},
        {"sid": None},
    ],
    ids=str,
)
def test_a_claim_that_is_not_as_it_should_be_is_refused(
    app: Flask, settings: Settings, changes: dict[str, Any]
) -> None:
    whole = own_claims(app, settings) | changes
    assert_refused(app, signed(settings, **whole))


@pytest.mark.parametrize("name", ["sub", "sid"])
@pytest.mark.parametrize("value", NOT_AN_ID, ids=repr)
def test_an_id_that_is_none_is_refused(
    app: Flask, settings: Settings, name: str, value: object
) -> None:
    assert_refused(app, signed(settings, **own_claims(app, settings) | {name: value}))


def test_a_session_of_somebody_else_is_refused(app: Flask, settings: Settings) -> None:
    mine, theirs = own_claims(app, settings), own_claims(app, settings)
    assert_refused(app, signed(settings, **mine | {"sid": theirs["sid"]}))


def test_a_session_that_never_was_is_refused(app: Flask, settings: Settings) -> None:
    assert_refused(app, signed(settings))


def test_a_clock_may_be_a_few_seconds_ahead(app: Flask, settings: Settings) -> None:
    soon = {"nbf": int(time.time()) + 3, "iat": int(time.time()) + 3}
    token = signed(settings, **own_claims(app, settings) | soon)
    assert Api(app, token).get("/users/me").status_code == 200


@pytest.mark.parametrize(
    "token",
    ["x", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "." * 3000, "e30.e30.e30", "\x7f",
     unsigned("[" * 3000, claims()), unsigned(HS256, "[" * 3000), unsigned(b"\xff", claims()),
     unsigned([], claims()), unsigned(HS256, []), unsigned(HS256, "null"), unsigned("7", "7"),
     unsigned({**HS256, "kid": 7}, claims()), unsigned({**HS256, "b64": False}, claims()),
     unsigned({**HS256, "crit": ["x"]}, claims()), unsigned({"alg": {}}, claims()),
     unsigned({**HS256, "jwk": {}, "jku": "http://127.0.0.1:1/"}, claims())],
)  # fmt: skip
def test_garbage_is_refused(app: Flask, token: str) -> None:
    assert_refused(app, token)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "Token x", ", ,", "Bearer x, Bearer y",
     ",,,,", "\t", "é", "Bearer\tx"],
)  # fmt: skip
def test_a_header_of_another_form_is_refused(nobody: Api, header: str) -> None:
    response = nobody.get("/users/me", headers={"Authorization": header})
    assert_problem(response, 401, "unauthenticated")


def test_a_refresh_token_is_no_access_token(app: Flask) -> None:
    assert_refused(app, log_in(app, make_user(app))["refresh_token"])


def test_an_access_token_is_no_refresh_token(app: Flask, nobody: Api) -> None:
    token = token_for(app, make_user(app))
    response = nobody.post("/auth/refresh", json={"refresh_token": token})
    assert_problem(response, 401, "invalid-refresh-token")


@pytest.mark.parametrize("counter", [None, "0", 0.5, [], {}, 1, 10**30])
def test_a_counter_that_was_never_given_out_is_refused(
    app: Flask, settings: Settings, nobody: Api, counter: object
) -> None:
    forged = {**own_claims(app, settings), "type": "refresh", "n": counter}
    response = nobody.post("/auth/refresh", json={"refresh_token": signed(settings, **forged)})
    assert_problem(response, 401, "invalid-refresh-token")


@pytest.mark.parametrize("session_id", [None, *NOT_AN_ID], ids=repr)
def test_a_refresh_token_without_a_session_is_refused(
    settings: Settings, nobody: Api, session_id: object
) -> None:
    token = signed(settings, type="refresh", n=0, sid=session_id)
    response = nobody.post("/auth/refresh", json={"refresh_token": token})
    assert_problem(response, 401, "invalid-refresh-token")


@pytest.mark.parametrize(
    "changes",
    [{"iss": "evil"}, {"aud": "evil"}, {"exp": 1}, {"nbf": 2**40}, {"type": None}],
    ids=str,
)
def test_a_refresh_token_with_a_bad_claim_is_refused(
    settings: Settings, nobody: Api, changes: dict[str, Any]
) -> None:
    token = signed(settings, **{"type": "refresh", "n": 0, **changes})
    response = nobody.post("/auth/refresh", json={"refresh_token": token})
    assert_problem(response, 401, "invalid-refresh-token")


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", unsigned("[" * 3000, b""), unsigned(HS256, "[" * 2900), "é" * 100]
)
def test_garbage_is_no_refresh_token(nobody: Api, token: str) -> None:
    response = nobody.post("/auth/refresh", json={"refresh_token": token})
    assert_problem(response, 401, "invalid-refresh-token")


def test_a_token_of_another_installation_is_refused(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    other = make_app(jwt_secret_key="the secret of another installation")
    assert_refused(other, token_for(app, make_user(app)))


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/refresh"])
def test_a_stale_token_keeps_nobody_from_logging_in(app: Flask, path: str) -> None:
    assert Api(app, "stale.token.x").post(path, json={}).status_code == 422


def test_the_scheme_is_known_in_any_case(app: Flask) -> None:
    token = token_for(app, make_user(app))
    for scheme in ("bearer", "BEARER", "Bearer"):
        headers = {"Authorization": f"{scheme} {token}"}
        assert Api(app).get("/users/me", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Basic YTpi", "Token x", "x", ""])
def test_another_scheme_is_refused_even_where_nobody_may_read(nobody: Api, header: str) -> None:
    response = nobody.get("/products", headers={"Authorization": header})
    assert_problem(response, 401, "unauthenticated")

"""Calling with a key: what it may, and that nothing else lets in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.api_keys import keys
from stockroom.api_keys.service import Issued
from stockroom.core.database import now
from stockroom.core.permissions import SCOPES, Permission, Role
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.contract import fuzzing
from tests.factories.api_keys import make_key, set_key, stored_key
from tests.factories.products import make_product, product_body
from tests.factories.users import make_user, token_for

NOWHERE = "01980000-0000-7000-8000-000000000000"
PATHS = fuzzing.document()["paths"]
OPERATIONS = [
    (operation["operationId"], method.upper(), path, operation["security"])
    for path, methods in PATHS.items()
    for method, operation in methods.items()
    if method != "parameters" and operation["security"]
]
OPEN_TO_KEYS = [one for one in OPERATIONS if {"apiKey": []} in one[3]]
CLOSED_TO_KEYS = [one for one in OPERATIONS if {"apiKey": []} not in one[3]]
named = {"ids": lambda value: value[0] if isinstance(value, tuple) else None}


@pytest.fixture
def staff_user(app: Flask) -> User:
    return make_user(app, role=Role.STAFF)


@pytest.fixture
def issued(app: Flask, staff_user: User) -> Issued:
    return make_key(app, staff_user)


def path_of(template: str) -> str:
    """An address of something that is not there."""
    path = template.removeprefix("/api/v1")
    while "{" in path:
        before, _, after = path.partition("{")
        path = before + NOWHERE + after.partition("}")[2]
    return path


def assert_refused(app: Flask, key: str) -> None:
    """As a credential for what needs one, and for what is public but looks at what is sent."""
    for path in ("/users/me", "/products"):
        response = Api(app, key=key).get(path)
        problem = assert_problem(response, 401, "unauthenticated")
        assert "API key" in problem["detail"]
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_may_what_its_scopes_say(app: Flask, staff_user: User) -> None:
    api = Api(app, key=make_key(app, staff_user, [Permission.CATALOGUE_WRITE]).key)
    assert api.post("/products", json=product_body()).status_code == 201


def test_a_key_may_no_more_than_its_scopes_say(app: Flask, staff_user: User) -> None:
    api = Api(app, key=make_key(app, staff_user, [Permission.CATALOGUE_EXPORT]).key)
    problem = assert_problem(api.post("/products", json=product_body()), 403, "permission-denied")
    assert problem["detail"] == "The API key does not have the scope catalogue:write."


def test_a_key_without_the_scope_sees_what_everybody_sees(app: Flask, staff_user: User) -> None:
    make_product(app, status="draft")
    narrow = Api(app, key=make_key(app, staff_user, [Permission.ACCOUNT_OWN]).key)
    wide = Api(app, key=make_key(app, staff_user, [Permission.CATALOGUE_WRITE]).key)
    assert [len(api.get("/products").get_json()["items"]) for api in (narrow, wide)] == [0, 1]


@pytest.mark.parametrize("operation", CLOSED_TO_KEYS, **named)
def test_what_opens_doors_is_closed_to_keys(
    app: Flask, operation: tuple[str, str, str, object]
) -> None:
    api = Api(app, key=make_key(app, make_user(app, role=Role.ADMIN)).key)
    response = api.request(operation[1], path_of(operation[2]))
    problem = assert_problem(response, 403, "permission-denied")
    assert problem["detail"].startswith("No API key may do this")


def test_these_at_least_open_doors() -> None:
    assert {name for name, *_ in CLOSED_TO_KEYS} >= {
        "change_password",
        "create_api_key",
        "create_ticket",
        "end_session",
        "export_own_data",
        "list_api_keys",
        "list_sessions",
        "log_out",
        "reauthenticate",
        "remove_own_account",
        "revoke_api_key",
    }


def test_all_else_is_open_to_a_key_with_all_scopes(app: Flask) -> None:
    api = Api(app, key=make_key(app, make_user(app, role=Role.ADMIN), SCOPES).key)
    # A stream would not end.
    tried = [one for one in OPEN_TO_KEYS if one[0] != "stream_events"]
    answers = {name: api.request(method, path_of(path)).status_code
               for name, method, path, _ in tried}  # fmt: skip
    assert len(answers) > 20
    assert [name for name, status in answers.items() if status in {401, 403, 500}] == []


@pytest.mark.parametrize(
    "change",
    [lambda key: key[:-1], lambda key: key[:20], str.swapcase, str.lower, lambda key: key + "x",
     lambda key: f"{key}, {key}", lambda _: "", lambda _: "sr_", lambda _: "é" * 52,
     lambda _: "sr_" + "0" * 49, lambda _: "x" * 5000, lambda key: f"Bearer {key}",
     lambda key: f'"{key}"'],
)  # fmt: skip
def test_a_key_that_is_not_whole_is_refused(
    app: Flask, issued: Issued, change: Callable[[str], str]
) -> None:
    headers = {"X-API-Key": change(issued.key)}
    for path in ("/users/me", "/products"):
        assert_problem(Api(app).get(path, headers=headers), 401, "unauthenticated")


def test_a_key_that_was_never_made_is_refused(app: Flask) -> None:
    assert_refused(app, keys.new_key())


def test_a_revoked_key_is_refused(app: Flask, issued: Issued, staff_user: User) -> None:
    owner = Api(app, token_for(app, staff_user))
    assert Api(app, key=issued.key).get("/users/me").status_code == 200
    owner.delete(f"/auth/api-keys/{issued.api_key.id}")
    assert_refused(app, issued.key)


def test_an_expired_key_is_refused(app: Flask, issued: Issued) -> None:
    set_key(app, issued.api_key.id, expires_at=now() + timedelta(minutes=1))
    assert Api(app, key=issued.key).get("/users/me").status_code == 200
    set_key(app, issued.api_key.id, expires_at=now() - timedelta(seconds=1))
    assert_refused(app, issued.key)


def test_a_key_loses_a_scope_with_its_owner_s_role(
    app: Flask, issued: Issued, staff_user: User
) -> None:
    api = Api(app, key=issued.key)
    assert api.post("/products", json=product_body()).status_code == 201
    with app.app_context():
        users.change(staff_user.id, {"role": Role.CUSTOMER})
    assert api.post("/products", json=product_body()).status_code == 403
    assert api.get("/users/me").status_code == 200


def test_a_key_gains_nothing_with_its_owner_s_role(app: Flask) -> None:
    user = make_user(app)
    api = Api(app, key=make_key(app, user).key)
    with app.app_context():
        users.change(user.id, {"role": Role.ADMIN})
    assert api.get("/users").status_code == 403


def test_a_key_rests_while_its_owner_is_not_active(
    app: Flask, issued: Issued, staff_user: User
) -> None:
    with app.app_context():
        users.change(staff_user.id, {"is_active": False})
    assert_refused(app, issued.key)
    with app.app_context():
        users.change(staff_user.id, {"is_active": True})
    assert Api(app, key=issued.key).get("/users/me").status_code == 200


def test_a_key_of_an_account_that_was_removed_is_refused(
    app: Flask, issued: Issued, staff_user: User
) -> None:
    with app.app_context():
        users.remove(staff_user.id)
    assert_refused(app, issued.key)


def test_a_key_of_an_address_that_is_not_verified_is_refused_where_a_login_is(
    make_app: Callable[..., Flask], app: Flask, issued: Issued, staff_user: User
) -> None:
    strict = make_app(login_needs_verified_email=True)
    assert Api(strict, key=issued.key).get("/users/me").status_code == 200
    with app.app_context(), transaction() as session:
        session.execute(update(User).where(User.id == staff_user.id).values(email_verified_at=None))
    assert Api(app, key=issued.key).get("/users/me").status_code == 200
    assert_refused(strict, issued.key)


def test_a_key_goes_on_when_sessions_end(app: Flask, issued: Issued, staff_user: User) -> None:
    Api(app, token_for(app, staff_user)).post("/auth/logout?scope=all")
    assert Api(app, key=issued.key).get("/users/me").status_code == 200


def test_a_scope_that_this_version_does_not_know_gives_nothing(app: Flask, issued: Issued) -> None:
    set_key(app, issued.api_key.id, scopes=["account:own", "account:secure", "doors:open"])
    api = Api(app, key=issued.key)
    assert api.get("/users/me").status_code == 200
    assert api.get("/auth/sessions").status_code == 403


@pytest.mark.parametrize("path", ["/users/me", "/products"])
@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic YTpi"])
def test_two_kinds_of_credentials_are_refused(
    app: Flask, issued: Issued, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization}
    response = Api(app, key=issued.key).get(path, headers=headers)
    problem = assert_problem(response, 401, "unauthenticated")
    assert problem["detail"] == "Send either Authorization or X-API-Key, not both."


def test_a_good_token_beside_a_good_key_is_refused(
    app: Flask, issued: Issued, staff_user: User
) -> None:
    both = Api(app, token_for(app, staff_user), key=issued.key)
    assert_problem(both.get("/users/me"), 401, "unauthenticated")


def test_two_keys_are_refused(app: Flask, issued: Issued) -> None:
    headers = [("X-API-Key", issued.key), ("X-API-Key", issued.key)]
    response = app.test_client().get("/api/v1/users/me", headers=headers)
    assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "ApiKey", "Token"])
def test_a_key_is_no_access_token(app: Flask, issued: Issued, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {issued.key}"}
    for path in ("/users/me", "/products"):
        assert_problem(Api(app).get(path, headers=headers), 401, "unauthenticated")


def test_a_key_is_no_refresh_token(nobody: Api, issued: Issued) -> None:
    response = nobody.post("/auth/refresh", json={"refresh_token": issued.key})
    assert_problem(response, 401, "invalid-refresh-token")


@pytest.mark.parametrize("name", ["api_key", "api-key", "X-API-Key", "key", "access_token"])
def test_a_key_in_a_query_is_not_looked_at(nobody: Api, issued: Issued, name: str) -> None:
    response = nobody.get(f"/users/me?{name}={issued.key}")
    assert_problem(response, 401, "unauthenticated")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/refresh"])
def test_a_stale_key_keeps_nobody_from_logging_in(app: Flask, path: str) -> None:
    assert Api(app, key=keys.new_key()).post(path, json={}).status_code == 422


def test_the_digest_lets_nobody_in(app: Flask, issued: Issued) -> None:
    assert_refused(app, stored_key(app, issued.api_key.id).digest)

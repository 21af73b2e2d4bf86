"""Calling with a key: which ones let in, and how they are sent."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.api_keys import keys
from stockroom.api_keys.service import Issued
from stockroom.core.database import now
from stockroom.core.permissions import Permission, Role
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.api_keys import make_key, set_key, stored_key
from tests.factories.users import make_user, token_for
from tests.outbox.events import last_event


def assert_refused(app: Flask, key: str) -> None:
    """As a credential for what needs one, and for what is public but looks at what is sent."""
    for path in ("/users/me", "/products"):
        response = Api(app, key=key).get(path)
        problem = assert_problem(response, 401, "unauthenticated")
        assert "API key" in problem["detail"]
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


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


def test_what_a_key_does_carries_its_id(app: Flask) -> None:
    issued = make_key(app, make_user(app, role=Role.ADMIN), [Permission.USERS_MANAGE])
    new = {"email": "ada@example.com", "password": "correct horse battery staple"}
    assert Api(app, key=issued.key).post("/users", json=new).status_code == 201
    event = last_event(app)
    assert (event.type, event.key_id) == ("user.created", issued.api_key.id)
    assert event.session_id is None


def test_a_browser_of_a_configured_origin_may_send_a_key(make_app: Callable[..., Flask]) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key",
    }
    app = make_app(cors_origins=["https://shop.example"])
    response = Api(app).request("OPTIONS", "/users/me", headers=asked)
    assert response.headers["Access-Control-Allow-Headers"].lower() == "x-api-key"

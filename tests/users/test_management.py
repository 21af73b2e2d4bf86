"""Accounts, as administrators manage them."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from stockroom.core.permissions import Role
from stockroom.users import service
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.products import product_body
from tests.factories.users import PASSWORD, log_in, make_user, token_for
from tests.verification.letters import kinds_to

NOBODY = UUID("01980000-0000-7000-8000-000000000000")
NEW = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def people(app: Flask) -> dict[str, User]:
    made = {
        "ada": make_user(app, email="ada@shop.example", full_name="Ada Lovelace"),
        "bob": make_user(app, email="bob@shop.example", role=Role.STAFF),
        "eve": make_user(app, email="eve_100%@mail.example", full_name="Ève Ångström"),
    }
    with app.app_context():
        service.change(made["eve"].id, {"is_active": False})
    return made


def found(api: Api, query: str) -> list[str]:
    response = api.get("/users", query_string=query)
    assert response.status_code == 200, response.text
    emails = [user["email"] for user in response.get_json()["items"]]
    return [email.partition("@")[0] for email in emails if not email.startswith("user")]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["eve_100%", "bob", "ada"]),
        ("q=SHOP.example", ["bob", "ada"]),
        ("q=lovelace", ["ada"]),
        ("q=bob@shop.example", ["bob"]),
        ("q=%C3%A8ve", ["eve_100%"]),
        ("q=A%CC%8Angstr", ["eve_100%"]),
        ("q=0%25", ["eve_100%"]),
        ("q=b_b", []),
        ("q=_", ["eve_100%"]),
        ("q=%5C", []),
        ("q=nobody at all", []),
        ("role=staff", ["bob"]),
        ("role=customer", ["eve_100%", "ada"]),
        ("is_active=false", ["eve_100%"]),
        ("is_active=true", ["bob", "ada"]),
        ("q=a&role=customer&is_active=true", ["ada"]),
    ],
)
def test_accounts_are_found_newest_first(
    admin: Api, people: dict[str, User], query: str, names: list[str]
) -> None:
    assert found(admin, query) == names


@pytest.mark.parametrize(
    "query", ["role=owner", "role=", "is_active=maybe", "q=%00", "q=" + "x" * 201, "email=x"]
)
def test_a_bad_filter_is_refused(admin: Api, query: str) -> None:
    assert_problem(admin.get("/users", query_string=query), 422, "validation-error")


def test_an_account_is_made_for_somebody(admin: Api, nobody: Api) -> None:
    response = admin.post("/users", json={**NEW, "role": "staff", "full_name": "Ada"})
    assert response.status_code == 201
    user = response.get_json()
    assert (user["email"], user["role"], user["full_name"]) == ("ada@example.com", "staff", "Ada")
    assert "password" not in response.text
    assert nobody.post("/auth/login", json=NEW).status_code == 200


def test_a_new_account_is_found_where_location_says(admin: Api) -> None:
    created = admin.post("/users", json=NEW)
    read = admin.get(created.headers["Location"])
    assert read.get_json() == created.get_json()
    assert read.headers["ETag"] == created.headers["ETag"]


def test_a_new_account_is_a_customer_unless_told(admin: Api) -> None:
    assert admin.post("/users", json=NEW).get_json()["role"] == "customer"


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM"])
def test_an_address_is_taken_regardless_of_case(admin: Api, email: str) -> None:
    admin.post("/users", json=NEW)
    response = admin.post("/users", json={**NEW, "email": email})
    assert_problem(response, 409, "email-taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": None}, "email"),
        ({"password": "short"}, "password"),
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"is_active": True}, "is_active"),
    ],
)
def test_a_bad_new_account_is_refused(admin: Api, change: dict[str, Any], field: str) -> None:
    problem = assert_problem(admin.post("/users", json=NEW | change), 422, "validation-error")
    assert [*problem["errors"]] == [field]


def test_an_account_is_changed(admin: Api, people: dict[str, User]) -> None:
    path = f"/users/{people['ada'].id}"
    change = {"email": "Countess@Example.com", "full_name": "A. L.", "role": "staff"}
    changed = admin.patch(path, json=change, if_match=admin.get(path).headers["ETag"])
    assert changed.status_code == 200
    expected = {**change, "email": "countess@example.com"}
    assert {name: admin.get(path).get_json()[name] for name in change} == expected


def test_a_stale_change_is_refused(admin: Api, people: dict[str, User]) -> None:
    path = f"/users/{people['ada'].id}"
    admin.patch(path, json={"full_name": "First"}, if_match=1)
    stale = admin.patch(path, json={"full_name": "Second"}, if_match=1)
    assert_problem(stale, 412, "precondition-failed")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_needs_the_version(admin: Api, people: dict[str, User], method: str) -> None:
    body = {"json": {}} if method == "PATCH" else {}
    response = admin.request(method, f"/users/{people['ada'].id}", **body)
    assert_problem(response, 428, "precondition-required")


def test_an_address_of_somebody_else_cannot_be_taken(admin: Api, people: dict[str, User]) -> None:
    path = f"/users/{people['ada'].id}"
    response = admin.patch(path, json={"email": "BOB@shop.example"}, if_match="*")
    assert_problem(response, 409, "email-taken")


@pytest.mark.parametrize(
    "change", [{"is_active": "yes"}, {"is_active": 1}, {"is_active": None}, {"role": "ADMIN"},
               {"password": PASSWORD}, {"email": ""}]
)  # fmt: skip
def test_a_bad_change_is_refused(
    admin: Api, people: dict[str, User], change: dict[str, Any]
) -> None:
    response = admin.patch(f"/users/{people['ada'].id}", json=change, if_match="*")
    problem = assert_problem(response, 422, "validation-error")
    assert [*problem["errors"]] == [*change]


def test_a_removed_account_is_gone(admin: Api, people: dict[str, User]) -> None:
    path = f"/users/{people['ada'].id}"
    assert admin.delete(path, if_match=admin.get(path).headers["ETag"]).status_code == 204
    assert_problem(admin.get(path), 404, "user-not-found")
    assert found(admin, "q=ada@") == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_account_is_not_found(admin: Api, method: str) -> None:
    body = {"json": {"role": "staff"}} if method == "PATCH" else {}
    response = admin.request(method, f"/users/{NOBODY}", if_match="*", **body)
    assert_problem(response, 404, "user-not-found")


@pytest.mark.parametrize("path", ["x", "1", str(UUID(int=0))[:-1], "%00"])
def test_what_is_no_id_is_not_found(admin: Api, path: str) -> None:
    assert_problem(admin.get(f"/users/{path}"), 404, "not-found")


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.STAFF])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/users"), ("POST", "/users"), ("GET", f"/users/{NOBODY}"),
     ("PATCH", f"/users/{NOBODY}"), ("DELETE", f"/users/{NOBODY}")],
)  # fmt: skip
def test_others_may_not(app: Flask, nobody: Api, role: Role, method: str, path: str) -> None:
    someone = Api(app, token_for(app, make_user(app, role=role)))
    assert_problem(someone.request(method, path), 403, "permission-denied")
    assert_problem(nobody.request(method, path), 401, "unauthenticated")


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "customer"}, {"role": "staff"}])
def test_a_change_of_rights_holds_from_the_next_request_on(
    app: Flask, admin: Api, change: dict[str, Any]
) -> None:
    user = make_user(app, role=Role.ADMIN)
    other = Api(app, token_for(app, user))
    assert other.get("/users").status_code == 200
    admin.patch(f"/users/{user.id}", json=change, if_match="*")
    assert_problem(other.get("/users"), 401, "unauthenticated")


def test_after_a_change_of_role_a_refreshed_token_has_the_new_one(app: Flask, admin: Api) -> None:
    user = make_user(app)
    tokens = log_in(app, user)
    admin.patch(f"/users/{user.id}", json={"role": "staff"}, if_match="*")
    refreshed = Api(app).post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    staff = Api(app, refreshed.get_json()["access_token"])
    assert staff.post("/products", json=product_body()).status_code == 201


def test_a_removed_account_is_refused_on_the_next_request(app: Flask, admin: Api) -> None:
    user = make_user(app)
    other = Api(app, token_for(app, user))
    admin.delete(f"/users/{user.id}", if_match="*")
    assert_problem(other.get("/users/me"), 401, "unauthenticated")
    assert_problem(other.get("/products"), 401, "unauthenticated")


def test_who_is_let_in_again_has_to_log_in_again(app: Flask, admin: Api) -> None:
    user = make_user(app)
    before = Api(app, token_for(app, user))
    for is_active in (False, True):
        admin.patch(f"/users/{user.id}", json={"is_active": is_active}, if_match="*")
    assert_problem(before.get("/users/me"), 401, "unauthenticated")
    assert Api(app, token_for(app, user)).get("/users/me").status_code == 200


def test_the_owner_of_a_changed_address_is_told_at_the_former_one(
    app: Flask, admin: Api, people: dict[str, User]
) -> None:
    former = people["ada"].email
    path = f"/users/{people['ada'].id}"
    changed = admin.patch(path, json={"email": "countess@example.com"}, if_match="*").get_json()
    assert changed["email_verified"] is True
    assert kinds_to(app, former) == ["users/email_changed"]

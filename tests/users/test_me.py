"""One's own account."""

from typing import Any

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD, make_user, token_for


def test_an_account_is_shown_to_its_owner(app: Flask) -> None:
    user = make_user(app, email="ada@example.com", full_name="Ada Lovelace")
    account = Api(app, token_for(app, user)).get("/users/me").get_json()
    assert account.pop("created_at").endswith("+00:00")
    assert account.pop("updated_at").endswith("+00:00")
    assert account == {
        "id": str(user.id),
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "role": "customer",
        "is_active": True,
        "email_verified": True,
    }


def test_a_name_can_be_changed(customer: Api) -> None:
    response = customer.patch("/users/me", json={"full_name": " Ada  "}, if_match="*")
    assert response.get_json()["full_name"] == "Ada"
    assert customer.get("/users/me").get_json()["full_name"] == "Ada"


@pytest.mark.parametrize("name", [None, "", "  "])
def test_a_name_can_be_taken_away(app: Flask, name: str | None) -> None:
    ada = Api(app, token_for(app, make_user(app, full_name="Ada")))
    response = ada.patch("/users/me", json={"full_name": name}, if_match="*")
    assert response.get_json()["full_name"] is None


def test_a_change_moves_the_time_of_the_last_one(customer: Api) -> None:
    before = customer.get("/users/me").get_json()
    after = customer.patch("/users/me", json={"full_name": "Ada"}, if_match="*").get_json()
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]


@pytest.mark.parametrize(
    "change",
    [{"role": "admin"}, {"is_active": False}, {"email": "x@example.com"}, {"password": PASSWORD},
     {"id": "x"}, {"version": 7}, {"password_hash": "x"}],
)  # fmt: skip
def test_nothing_else_can_be_changed_by_its_owner(customer: Api, change: dict[str, Any]) -> None:
    response = customer.patch("/users/me", json=change, if_match="*")
    problem = assert_problem(response, 422, "validation-error")
    assert problem["errors"] == {next(iter(change)): ["Unknown field."]}


def test_whoever_removes_the_own_account_is_nobody_from_then_on(app: Flask, nobody: Api) -> None:
    user = make_user(app)
    phone, laptop = (Api(app, token_for(app, user)) for _ in range(2))
    response = phone.delete("/users/me", if_match=phone.get("/users/me").headers["ETag"])
    assert (response.status_code, response.data) == (204, b"")
    assert "ETag" not in response.headers
    for device in (phone, laptop):
        assert_problem(device.get("/users/me"), 401, "unauthenticated")
    login = nobody.post("/auth/login", json={"email": user.email, "password": PASSWORD})
    assert_problem(login, 401, "bad-credentials")


def test_the_address_of_a_removed_account_is_free(customer: Api, nobody: Api) -> None:
    email = customer.get("/users/me").get_json()["email"]
    customer.delete("/users/me", if_match="*")
    again = nobody.post("/auth/register", json={"email": email, "password": PASSWORD})
    assert again.status_code == 201


def test_the_last_administrator_cannot_leave(admin: Api) -> None:
    assert_problem(admin.delete("/users/me", if_match="*"), 409, "last-administrator")
    assert admin.get("/users/me").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_nobody_has_no_account(nobody: Api, method: str) -> None:
    assert_problem(nobody.request(method, "/users/me"), 401, "unauthenticated")

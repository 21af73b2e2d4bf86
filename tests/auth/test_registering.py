"""Who registers: with which addresses and passwords, and with what role."""

from typing import Any

import pytest

from tests.api import Api, assert_problem
from tests.factories.users import PASSWORD

ADA = {"email": "ada@example.com", "password": PASSWORD}


def test_whoever_registers_is_a_customer(nobody: Api) -> None:
    response = nobody.post("/auth/register", json={**ADA, "full_name": "Ada Lovelace"})
    assert response.status_code == 201
    user = response.get_json()
    assert (user["email"], user["full_name"]) == ("ada@example.com", "Ada Lovelace")
    assert (user["role"], user["is_active"]) == ("customer", True)


def test_no_answer_holds_a_password(nobody: Api) -> None:
    response = nobody.post("/auth/register", json=ADA)
    assert "password" not in response.text
    assert PASSWORD not in response.text


@pytest.mark.parametrize("field", [{"role": "admin"}, {"is_active": True}, {"id": "1"}])
def test_nobody_registers_with_a_role_of_their_choice(nobody: Api, field: dict[str, Any]) -> None:
    assert_problem(nobody.post("/auth/register", json=ADA | field), 422, "validation-error")


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.COM", " ada@example.com "])
def test_an_address_registers_once_regardless_of_case(nobody: Api, email: str) -> None:
    nobody.post("/auth/register", json=ADA)
    response = nobody.post("/auth/register", json={**ADA, "email": email})
    assert_problem(response, 409, "email-taken")


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example", "ada@@example.com",
     "ada@example.com\x00", "ada@-example.com", "a@" + "b." * 130 + "c",
     "\ud800@example.com", "ada@example.com, bob@example.com", "Ada <ada@example.com>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(nobody: Api, email: str) -> None:
    response = nobody.post("/auth/register", json={**ADA, "email": email})
    problem = assert_problem(response, 422, "validation-error")
    assert [*problem["errors"]] == ["email"]


@pytest.mark.parametrize(
    ("registered", "used"),
    [
        ("Ada@Example.com", "aDA@eXAMPLE.COM"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("ad\u00e0@example.com", "ada\u0300@example.com"),
        ("ADÀ@example.com", "adà@example.com"),
    ],
)
def test_every_spelling_of_an_address_logs_in(nobody: Api, registered: str, used: str) -> None:
    created = nobody.post("/auth/register", json={**ADA, "email": registered})
    assert created.status_code == 201, created.text
    assert nobody.post("/auth/login", json={**ADA, "email": used}).status_code == 200


@pytest.mark.parametrize(
    ("length", "status"), [(7, 422), (8, 201), (128, 201), (129, 422), (100_000, 422)]
)
def test_a_password_has_8_to_128_characters(nobody: Api, length: int, status: int) -> None:
    body = {**ADA, "password": "ü" * length}
    assert nobody.post("/auth/register", json=body).status_code == status


@pytest.mark.parametrize(
    "password", ["  spaces  ", "tab\tnul\x00bell\x07", "🔑" * 8, "パスワードです。"]
)
def test_a_password_may_hold_any_character(nobody: Api, password: str) -> None:
    body = {**ADA, "password": password}
    assert nobody.post("/auth/register", json=body).status_code == 201
    assert nobody.post("/auth/login", json=body).status_code == 200
    trimmed = nobody.post("/auth/login", json={**ADA, "password": password[1:]})
    assert trimmed.status_code == 401


def test_a_password_is_the_same_however_a_keyboard_composes_it(nobody: Api) -> None:
    nobody.post("/auth/register", json={**ADA, "password": "na\u00efve caf\u00e9"})
    decomposed = {**ADA, "password": "nai\u0308ve cafe\u0301"}
    assert nobody.post("/auth/login", json=decomposed).status_code == 200


def test_half_of_a_surrogate_pair_is_no_password(nobody: Api) -> None:
    response = nobody.post("/auth/register", json={**ADA, "password": "\ud800" * 8})
    assert_problem(response, 422, "validation-error")

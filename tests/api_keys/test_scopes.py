"""What a key may: no more than its scopes, and no more than its owner."""

import pytest
from flask import Flask

from stockroom.api_keys.service import Issued
from stockroom.core.permissions import SCOPES, Permission, Role
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.api_keys.making import NOWHERE
from tests.contract import fuzzing
from tests.factories.api_keys import make_key, set_key
from tests.factories.products import make_product, product_body
from tests.factories.users import make_user

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


def path_of(template: str) -> str:
    """An address of something that is not there."""
    path = template.removeprefix("/api/v1")
    while "{" in path:
        before, _, after = path.partition("{")
        path = before + NOWHERE + after.partition("}")[2]
    return path


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


def test_a_scope_that_this_version_does_not_know_gives_nothing(app: Flask, issued: Issued) -> None:
    set_key(app, issued.api_key.id, scopes=["account:own", "account:secure", "doors:open"])
    api = Api(app, key=issued.key)
    assert api.get("/users/me").status_code == 200
    assert api.get("/auth/sessions").status_code == 403

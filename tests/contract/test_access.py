"""Who may call what: every operation and every kind of caller, as ``docs/access.md`` has it."""

from collections.abc import Callable

import pytest
from flask import Flask

from stockroom.core.permissions import SCOPES, Permission
from tests.contract import access
from tests.contract.access import ANY, KINDS, NONE, Callers, Operation

OPERATIONS = list(access.operations())
TABLE = access.table()
BY_HEADER = [kind for kind in KINDS if kind not in {"API key", "unverified"}]


@pytest.fixture
def callers(app: Flask) -> Callers:
    return Callers(app)


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert {operation.key for operation in OPERATIONS} == TABLE.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_each_kind_of_caller_is_let_in_or_refused_as_the_table_says(
    app: Flask, callers: Callers, operation: Operation
) -> None:
    found = {
        kind: access.verdict(operation.call(app, callers.owner, callers.headers(kind)))
        for kind in BY_HEADER
    }
    assert found == {kind: TABLE[operation.key][kind] for kind in BY_HEADER}


def test_an_unverified_account_is_let_in_or_refused_where_proof_is_asked_for(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    strict = make_app(login_needs_verified_email=True)
    found = {}
    for operation in OPERATIONS:
        headers, owner = Callers(app).headers("unverified"), Callers(app).owner
        found[operation.key] = access.verdict(operation.call(strict, owner, headers))
    assert found == {key: row["unverified"] for key, row in TABLE.items()}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_api_key_is_let_in_by_the_scopes_that_the_table_names(
    app: Flask, callers: Callers, operation: Operation
) -> None:
    def is_let_in(*scopes: Permission) -> bool:
        headers = callers.with_key(*scopes)
        return access.verdict(operation.call(app, callers.owner, headers)) == access.LET_IN

    cell = TABLE[operation.key]["API key"]
    names = {ANY: {*SCOPES}, NONE: set()}.get(cell, {it.strip("` ") for it in cell.split(",")})
    named = [scope for scope in SCOPES if scope in names]
    assert len(named) == len(names)
    assert all(is_let_in(scope) for scope in named)
    others = [scope for scope in SCOPES if scope not in names]
    assert not (others and is_let_in(*others))

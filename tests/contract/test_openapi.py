"""The OpenAPI document: valid, complete, and the one that stands in the repository."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from stockroom.core.callers.identity import Access
from stockroom.core.http.operations import describe_operation
from stockroom.core.permissions import Permission
from tests.contract import fuzzing
from tests.threads import at_once

DOCUMENT: dict[str, Any] = fuzzing.document()
OPERATIONS = fuzzing.operations()
ON_EVERY_ANSWER = {"X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
EXTRA_HEADERS = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}

each_operation = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: operation["operationId"]
)


def test_the_document_in_the_repository_is_the_one_that_is_served(app: Flask) -> None:
    served = app.test_client().get("/openapi.json").text
    assert served == fuzzing.DOCUMENT.read_text(encoding="utf-8"), (
        "Write it anew: flask openapi write openapi.json"
    )


def test_the_command_writes_the_document_that_is_served(app: Flask) -> None:
    written = app.test_cli_runner().invoke(args=["openapi", "print"])
    assert written.output == app.test_client().get("/openapi.json").text


def test_all_who_ask_first_get_the_whole_document(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    served = at_once(lambda _: app.test_client().get("/openapi.json").text, range(8))
    assert set(served) == {fuzzing.DOCUMENT.read_text(encoding="utf-8")}


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


def test_no_two_operations_share_an_id() -> None:
    assert max(Counter(fuzzing.operation_ids()).values()) == 1


def test_no_schema_has_a_number_for_a_name() -> None:
    assert not [name for name in DOCUMENT["components"]["schemas"] if re.search(r"\d$", name)]


def test_every_route_of_the_api_is_in_the_document(app: Flask) -> None:
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert routes == DOCUMENT["paths"].keys()


@each_operation
def test_an_operation_says_what_it_is_and_who_may_call_it(operation: dict[str, Any]) -> None:
    assert operation.keys() >= {"operationId", "summary", "tags", "security", "responses"}
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
    assert operation["summary"].endswith(".")


@each_operation
def test_errors_of_an_operation_are_problem_documents(operation: dict[str, Any]) -> None:
    errors = {
        status: _resolved(it) for status, it in operation["responses"].items() if status >= "4"
    }
    assert errors.keys() >= {"400", "429", "500", "503"}
    assert all(error["content"].keys() == {"application/problem+json"} for error in errors.values())


@each_operation
def test_an_operation_that_asks_for_credentials_can_refuse_them(operation: dict[str, Any]) -> None:
    needs_credentials = bool(operation["security"]) and {} not in operation["security"]
    # Refreshing needs none in the words of the document, but may take them from a cookie.
    can_be_forged = operation["operationId"] == "refresh"
    assert ("403" in operation["responses"]) == (needs_credentials or can_be_forged)
    if operation["security"]:
        assert "401" in operation["responses"]


@each_operation
def test_answers_of_an_operation_name_their_headers(operation: dict[str, Any]) -> None:
    # A 101 has those of its protocol alone.
    answers = {code: it for code, it in operation["responses"].items() if code != "101"}
    for status, response in answers.items():
        headers = _resolved(response)["headers"].keys()
        assert headers >= ON_EVERY_ANSWER
        assert EXTRA_HEADERS.get(status, "X-Request-ID") in headers


@each_operation
def test_a_change_of_a_resource_needs_its_version(operation: dict[str, Any]) -> None:
    if {"$ref": "#/components/parameters/IF_MATCH"} in operation.get("parameters", []):
        assert operation["responses"].keys() >= {"412", "428"}


def test_what_changes_something_by_cookie_needs_the_header_that_goes_with_it() -> None:
    assert {"cookie": []} in _operation("read_own_account")["security"]
    assert {"cookie": [], "csrf": []} in _operation("change_own_account")["security"]
    assert {"cookie": []} not in _operation("change_own_account")["security"]


def test_a_websocket_takes_no_cookie() -> None:
    assert "cookie" not in str(_operation("follow_events")["security"])


def test_what_is_created_or_read_has_the_headers_that_lead_on() -> None:
    created = _operation("create_product")["responses"]["201"]["headers"]
    read = _operation("read_product")["responses"]
    listed = _operation("list_products")["responses"]["200"]["headers"]
    assert created.keys() >= {"ETag", "Location"}
    assert read["200"]["headers"].keys() >= {"ETag"}
    assert _resolved(read["304"])["headers"].keys() >= {"ETag"}
    assert listed.keys() >= {"Link"}


@pytest.mark.parametrize(
    ("access", "recent", "takes_keys"),
    [
        (Permission.USERS_MANAGE, False, True),
        (Permission.USERS_MANAGE, True, False),
        (Permission.ACCOUNT_SECURE, False, False),
        (Access.ANYONE, False, True),
        (Access.PUBLIC, False, False),
    ],
)
def test_a_key_is_offered_where_one_can_be_let_in(
    access: Access | Permission, recent: bool, takes_keys: bool
) -> None:
    facts = {"name": "act", "access": access, "recent": recent, "cookies": True}
    described = describe_operation({}, facts, method="get")
    assert ({"apiKey": []} in described["security"]) == takes_keys


def _operation(name: str) -> dict[str, Any]:
    return next(operation for operation in OPERATIONS if operation["operationId"] == name)


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    """The response, or the component that it refers to."""
    if "$ref" not in response:
        return response
    name = response["$ref"].rpartition("/")[2]
    component: dict[str, Any] = DOCUMENT["components"]["responses"][name]
    return component

"""Reading bodies: what is not JSON is a 400, what breaks its schema a 422."""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from stockroom.core.http.parser import MOST_ERRORS, flattened
from tests.api import Api, assert_problem

ACCOUNT = {"email": "ada@example.com", "password": "correct horse"}


def post(api: Api, body: bytes | str, content_type: str = "application/json") -> TestResponse:
    return api.post("/auth/register", data=body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"}", b"{]", b"{'a': 1}", b'{"a": 1,}', b'{"a": 1} x', b"undefined",
     b"NaN", b"-Infinity", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e400}', b'{"a": -1e999}',
     b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 01}', b'"\x01"', b"\xff\xfe", b'{"a": "\xe9"}',
     b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16")],
)  # fmt: skip
def test_what_is_not_json_is_a_400(nobody: Api, body: bytes) -> None:
    assert_problem(post(nobody, body), 400, "bad-request")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_nested_deeper_than_any_stack_is_a_400(nobody: Api, opening: str) -> None:
    response = nobody.post(
        "/auth/register", data=opening * 100_000, content_type="application/json"
    )
    assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize(("levels", "status"), [(8, 422), (9, 400)])
def test_depth_is_bounded_by_the_setting(
    make_app: Callable[..., Flask], levels: int, status: int
) -> None:
    body = "[" * levels + "]" * levels
    response = Api(make_app(max_json_depth=8)).post(
        "/auth/register", data=body, content_type="application/json"
    )
    assert response.status_code == status, response.text


def test_the_values_in_the_deepest_list_do_not_count_as_a_level(
    make_app: Callable[..., Flask],
) -> None:
    body = "[" * 7 + "{}" + "]" * 7
    response = Api(make_app(max_json_depth=8)).post(
        "/auth/register", data=body, content_type="application/json"
    )
    assert_problem(response, 422, "validation-error")


@pytest.mark.parametrize("body", ["[]", "[{}]", "null", "true", "0", '"text"', "1.5", "9" * 400])
def test_json_that_is_no_object_is_a_422(nobody: Api, body: str) -> None:
    problem = assert_problem(post(nobody, body), 422, "validation-error")
    assert [*problem["errors"]] == ["_schema"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json",
     "application/xml", "", "application/jsonx", ";;;"],
)  # fmt: skip
def test_another_content_type_is_a_415(nobody: Api, content_type: str) -> None:
    response = post(nobody, json.dumps(ACCOUNT), content_type)
    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
     "application/vnd.shop+json"],
)  # fmt: skip
def test_every_kind_of_json_is_taken(nobody: Api, content_type: str) -> None:
    response = nobody.post("/auth/register", data=json.dumps(ACCOUNT), content_type=content_type)
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("value", [1, 10**400, 1.5, True, [], {}, None])
def test_a_value_of_another_type_is_named(nobody: Api, value: object) -> None:
    body = json.dumps(ACCOUNT | {"password": value})
    problem = assert_problem(post(nobody, body), 422, "validation-error")
    assert [*problem["errors"]] == ["password"]


@pytest.mark.parametrize("name", ["role", "is_active", "", "a.b", "é", "\x00", "\ud800"])
def test_an_unknown_field_is_refused_by_its_name(nobody: Api, name: str) -> None:
    problem = assert_problem(
        nobody.post("/auth/register", json=ACCOUNT | {name: 1}), 422, "validation-error"
    )
    assert problem["errors"] == {name or "_schema": ["Unknown field."]}


@pytest.mark.parametrize("text", ["\x00", "Ada\x00", "\ud800", "\udfff Ada", "\x07", "a\nb"])
def test_characters_that_text_cannot_have_are_refused(nobody: Api, text: str) -> None:
    problem = assert_problem(
        nobody.post("/auth/register", json=ACCOUNT | {"full_name": text}), 422, "validation-error"
    )
    assert problem["errors"] == {"full_name": ["Holds characters that text cannot have."]}


def test_every_bad_field_is_named_at_once(nobody: Api) -> None:
    body = {"email": "nobody", "password": "short", "full_name": 7, "rank": 1}
    problem = assert_problem(nobody.post("/auth/register", json=body), 422, "validation-error")
    assert problem["errors"].keys() == body.keys()


def test_of_very_many_bad_fields_a_hundred_are_named(nobody: Api) -> None:
    body = json.dumps({f"field {number}": 1 for number in range(10_000)})
    problem = assert_problem(post(nobody, body), 422, "validation-error")
    assert len(problem["errors"]) == MOST_ERRORS


def test_a_body_larger_than_the_bound_is_a_413(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(max_body_bytes=1024))
    body = ACCOUNT | {"full_name": "x" * 2000}
    assert_problem(api.post("/auth/register", json=body), 413, "body-too-large")
    response = api.post("/auth/token", data={"grant_type": "x" * 2000})
    assert_problem(response, 413, "body-too-large")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ({"name": ["Bad."]}, {"name": ["Bad."]}),
        ({"lines": {0: {"sku": ["Bad."]}}}, {"lines.0.sku": ["Bad."]}),
        ({"options": {"size": {"value": ["Bad."]}}}, {"options.size": ["Bad."]}),
        (["Bad."], {"_schema": ["Bad."]}),
        ("Bad.", {"_schema": ["Bad."]}),
    ],
)
def test_messages_are_told_by_field_path(messages: object, expected: dict[str, list[str]]) -> None:
    assert dict(flattened(messages)) == expected

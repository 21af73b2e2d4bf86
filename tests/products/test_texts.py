"""Text, options and attributes: what is stored of what is sent, and what is refused."""

from typing import Any

import pytest
from flask import Flask

from tests.api import Api, assert_problem
from tests.factories.products import make_product, product_body

TEXTS = ("sku", "name", "description", "family")
NEEDED = ("sku", "name")
LONGEST = {"sku": 64, "name": 200, "description": 10_000, "family": 64}


def create(staff: Api, **fields: Any) -> dict[str, Any]:
    response = staff.post("/products", json=product_body(**fields))
    assert response.status_code == 201, response.text
    stored: dict[str, Any] = staff.get(response.headers["Location"]).get_json()
    return stored


def refused(staff: Api, **fields: Any) -> list[str]:
    """The fields that a new product is refused for."""
    response = staff.post("/products", json=product_body(**fields))
    return list(assert_problem(response, 422, "validation-error")["errors"])


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_trimmed_and_composed(staff: Api, name: str) -> None:
    assert create(staff, **{name: " \u3000Cafe\u0301\u00a0 "})[name] == "Caf\u00e9"


@pytest.mark.parametrize("name", ["description", "family"])
@pytest.mark.parametrize("blank", ["", "  ", "\u3000", None])
def test_a_blank_text_that_may_be_missing_is_none(staff: Api, name: str, blank: str | None) -> None:
    assert create(staff, **{name: blank})[name] is None


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("blank", ["", "  ", "\u3000", None])
def test_a_blank_text_that_is_needed_is_refused(staff: Api, name: str, blank: str | None) -> None:
    assert refused(staff, **{name: blank}) == [name]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "a\ud83d"])
def test_what_the_database_cannot_store_is_refused(staff: Api, name: str, bad: str) -> None:
    assert refused(staff, **{name: bad}) == [name]


@pytest.mark.parametrize("name", ["sku", "name", "family"])
@pytest.mark.parametrize("bad", ["a\nb", "a\tb", "a\x1bb", "a\x7fb", "a\x9fb", "a\u2028b"])
def test_a_line_holds_no_control_characters(staff: Api, name: str, bad: str) -> None:
    assert refused(staff, **{name: bad}) == [name]


def test_a_description_may_have_lines_and_tabs(staff: Api) -> None:
    assert create(staff, description="a\r\nb\tc\n\nd")["description"] == "a\r\nb\tc\n\nd"


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_as_long_as_is_allowed_is_stored(staff: Api, name: str) -> None:
    assert len(create(staff, **{name: "🫖" * LONGEST[name]})[name]) == LONGEST[name]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_longer_than_is_allowed_is_refused(staff: Api, name: str) -> None:
    assert refused(staff, **{name: "x" * (LONGEST[name] + 1)}) == [name]


def test_a_text_that_grows_when_normalised_is_measured_after_it(staff: Api) -> None:
    assert refused(staff, sku="\u0958" * 64) == ["sku"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [1, True, ["a"], {"a": "b"}])
def test_what_is_no_text_is_refused(staff: Api, name: str, value: object) -> None:
    assert refused(staff, **{name: value}) == [name]


def test_options_are_trimmed_texts_by_name(staff: Api) -> None:
    assert create(staff, options={" size ": " L "})["options"] == {"size": "L"}


@pytest.mark.parametrize(
    "options",
    [
        {"size": 1},
        {"size": None},
        {"size": ""},
        {"": "L"},
        {"size": {"eu": "38"}},
        {"size": "\x00"},
        {"\ud800": "L"},
        {"x" * 65: "L"},
        {"size": "x" * 201},
        {str(number): "x" for number in range(21)},
        {"size": "L", " size": "M"},
        [],
        "L",
        None,
    ],
)
def test_options_that_break_their_rules_are_refused(staff: Api, options: object) -> None:
    assert all(name.startswith("options") for name in refused(staff, options=options))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"": ""},
        {"a": [1, 2.5, True, None, {"b": "c"}]},
        {"text": "\\u0000"},
        {"text": '\\ \\\\u0000 " \n'},
        {"ключ": "🫖"},
        {"number": 123456789012345678901234567890},
        {"text": '"1e300" 1e+300 ' * 1000},
    ],
)
def test_attributes_are_any_json_object(staff: Api, attributes: dict[str, Any]) -> None:
    assert create(staff, attributes=attributes)["attributes"] == attributes


@pytest.mark.parametrize(
    "attributes",
    [
        {"a": "\x00"},
        {"\x00": 1},
        {"a": ["\\\x00"]},
        {"a": {"b": "\ud800"}},
        {"\udfff": 1},
        {"a": "x" * 20_000},
        {"a": "é" * 10_000},
        [],
        "a",
        1,
        None,
    ],
)
def test_attributes_that_cannot_be_stored_are_refused(staff: Api, attributes: object) -> None:
    assert refused(staff, attributes=attributes) == ["attributes"]


@pytest.mark.parametrize("number", [1e300, -1e-300])
def test_attributes_are_measured_with_their_numbers_written_out(staff: Api, number: float) -> None:
    create(staff, attributes={"a": [number] * 60})
    assert refused(staff, attributes={"a": [number] * 70}) == ["attributes"]


@pytest.mark.parametrize("status", ["Active", "sold", "", None, 1, True, ["active"]])
def test_what_is_no_status_is_refused(staff: Api, status: object) -> None:
    assert refused(staff, status=status) == ["status"]


@pytest.mark.parametrize("name", ["description", "family"])
def test_null_takes_a_text_away(app: Flask, staff: Api, name: str) -> None:
    path = f"/products/{make_product(app, **{name: 'text'}).id}"
    assert staff.patch(path, json={name: None}, if_match="*").get_json()[name] is None

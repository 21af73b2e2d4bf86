"""The short cut for ordinary rows: the same as the schema, value by value."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from stockroom.products.schemas import NewProductSchema
from stockroom.transfers.ordinary import OrdinaryRows

SCHEMA = NewProductSchema(unknown=EXCLUDE)
MUG = {"sku": "MUG", "name": "Mug", "price": "9.50"}

# Around every edge of the rules: lengths, blanks, forms of one letter, what no text may hold.
TEXTS = [
    *("", " ", "a", " a", "a ", "\u00a0a", "a\nb", "a\n", "a\tb", "a\rb", "a\\b", '"', "é", "🫖"),
    *(
        "e\u0301",
        "\u212b",
        "\x00",
        "\x1f",
        "\x7f",
        "\x85",
        "a\u2028b",
        "\ud800",
        "\ufeff",
        "a\x00b",
    ),
    *("a" * 64, "a" * 65, "a" * 200, "a" * 201, "a" * 10_000, "a" * 10_001, "Å" * 64, "Å" * 65),
    *("\u212b" * 64, "e\u0301" * 32, "e\u0301" * 33, "EUR", "eur", "XTS", "draft", "sold"),
    *(
        "1",
        "1.5",
        "01.50",
        "1.505",
        "1.5055",
        " 2 ",
        "٣",
        "1.",
        ".5",
        "-1",
        "1e3",
        "9" * 11,
        "9" * 12,
    ),
]
NUMBERS = [0, 1, -1, True, -0.0, 0.1, 1.0, 1.5, 1e3, 1e20, 1e-7, 10**9, 10**9 + 1, 10**11, 10**12]
OBJECTS = [
    *({}, {" a": "b"}, {"a": 1}, {"a": None}, {"a": "b", "a ": "c"}, {"a": {"b": [1, "c"]}}),
    *({str(number): "x" for number in range(amount)} for amount in (20, 21)),
    *(
        {"a": letters * amount}
        for letters in ("x", "é")
        for amount in (9_996, 9_997, 19_992, 19_993)
    ),
    *({"a": [number] * amount} for number in (1e300, -1e-300) for amount in (60, 70)),
    *({"a": text} for text in TEXTS),
    *({text: "a"} for text in TEXTS),
]
VALUES: list[Any] = [None, [], ["a"], *TEXTS, *NUMBERS, *OBJECTS]
VALUE = st.sampled_from(VALUES) | st.text(max_size=6) | st.floats() | st.integers()
ROW = st.dictionaries(st.sampled_from([*SCHEMA.fields, "colour"]), VALUE, max_size=4)


def told(load: Any, row: dict[str, Any]) -> Any:
    """What it loads, exactly, or what it says is wrong."""
    try:
        loaded = load(row)
    except ValidationError as error:
        return error.messages
    return {name: (type(value), value) for name, value in loaded.items()}


@pytest.mark.parametrize("name", SCHEMA.fields)
def test_every_value_is_what_the_schema_makes_of_it(name: str) -> None:
    ordinary = OrdinaryRows(SCHEMA)
    for row in ({**MUG, name: value} for value in VALUES):
        assert told(ordinary.load, row) == told(SCHEMA.load, row)


@settings(max_examples=100)
@given(row=ROW, base=st.sampled_from([MUG, {}]))
def test_any_row_is_what_the_schema_makes_of_it(row: dict[str, Any], base: dict[str, Any]) -> None:
    row = {**base, **row}
    assert told(OrdinaryRows(SCHEMA).load, row) == told(SCHEMA.load, row)


class NeverAsked(NewProductSchema):
    def load(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the schema is asked")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "Große Tasse, blau", "description": "Zwei Zeilen:\nund noch eine."},
        {"price": "0.125"},
        {"price": 12},
        {"price": 9.5},
        {"description": None, "family": None, "low_stock_threshold": None},
        {"currency": "JPY", "status": "draft", "stock": 5, "low_stock_threshold": 0},
        {"options": {"Farbe": "grün"}, "attributes": {"weight_g": 350, "tags": ["a", None]}},
        {"colour": "red"},
    ],
)
def test_an_ordinary_row_does_without_the_schema(change: dict[str, Any]) -> None:
    row = {**MUG, **change}
    loaded = OrdinaryRows(NeverAsked(unknown=EXCLUDE)).load(row)
    assert told(lambda _: loaded, row) == told(SCHEMA.load, row)


def test_a_field_without_a_short_cut_leaves_its_rows_to_the_schema() -> None:
    class Dated(Schema):
        day = fields.Date(required=True)

    rows = OrdinaryRows(Dated(unknown=EXCLUDE))
    assert rows.load({"day": "2026-01-31"}) == Dated().load({"day": "2026-01-31"})


def test_a_default_of_the_schema_is_given() -> None:
    class Priced(Schema):
        amount = fields.String(load_default="1")

    assert OrdinaryRows(Priced(unknown=EXCLUDE)).load({}) == {"amount": "1"}


def test_names_are_passed_over_only_where_the_schema_does() -> None:
    with pytest.raises(ValueError, match="refuses names"):
        OrdinaryRows(NewProductSchema())


def test_a_price_keeps_every_digit() -> None:
    row = json.loads('{"sku": "A", "name": "A", "price": 123456789.125}')
    assert OrdinaryRows(SCHEMA).load(row)["price"] == Decimal("123456789.125")

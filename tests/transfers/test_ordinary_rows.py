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

# Around every edge of the rules: length, blanks, forms of one letter, and what no text may hold.
LETTERS = st.sampled_from(["a", "é", "e\u0301", "Å", "\u212b", " ", "\u00a0", "\n", "\t", "\r"])
FORBIDDEN = st.sampled_from(["\x00", "\x1f", "\x7f", "\x85", "\u2028", "\ud800", "\ufeff", "\\"])
TEXT = (
    st.lists(LETTERS | FORBIDDEN, max_size=3).map("".join)
    | st.sampled_from(["a" * 64, "a" * 65, "é" * 200, "é" * 201, "a" * 10_000, "a" * 10_001])
    | st.sampled_from(["Å" * 64, "\u212b" * 64, "e\u0301" * 32, "e\u0301" * 33])
    | st.text(max_size=6)
)
NUMBER = (
    st.sampled_from([0, -1, -0.0, 0.1, 1.5, 1e3, 1e20, 1e-7, 10**9, 10**9 + 1, 10**11, 10**12])
    | st.integers()
    | st.floats()
)
PRICE = st.sampled_from(
    ["1", "1.5", "01.50", "1.505", "1.5055", " 2 ", "٣", "1.", ".5", "-1", "1e3"]
)
SCALAR = st.none() | st.booleans() | NUMBER | TEXT | PRICE
CHOICE = st.sampled_from(["EUR", "eur", "JPY", "XXX", "draft", "active", "archived", "sold", ""])
OBJECT = (
    st.dictionaries(TEXT, SCALAR | st.lists(SCALAR, max_size=2), max_size=3)
    | st.dictionaries(TEXT, TEXT, max_size=3)
    | st.sampled_from([{str(n): "x" for n in range(count)} for count in (20, 21)])
    | st.sampled_from([{"a": "x" * 19_991}, {"a": "x" * 19_992}, {"a": "x" * 19_993}])
)
VALUE = SCALAR | CHOICE | OBJECT | st.lists(SCALAR, max_size=2)
ROW = st.builds(
    lambda base, change: {**base, **change},
    st.sampled_from([MUG, {}]),
    st.dictionaries(st.sampled_from([*SCHEMA.fields, "colour"]), VALUE, max_size=3),
)


def told(load: Any, row: dict[str, Any]) -> Any:
    """What it loads, exactly, or what it says is wrong."""
    try:
        loaded = load(row)
    except ValidationError as error:
        return error.messages
    return {name: (type(value), value) for name, value in loaded.items()}


@settings(max_examples=100, deadline=None)
@given(row=ROW)
def test_any_row_is_what_the_schema_makes_of_it(row: dict[str, Any]) -> None:
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

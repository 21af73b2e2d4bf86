"""Loading ordinary rows without marshmallow, whose machinery costs ten times what they need.

The schema alone says what is right. A short cut knows, from the parameters of a field, values which
that field takes for certain, and what it makes of them; a row with any other value goes through the
schema, which then accepts it or says what is wrong. A field of a kind that has no short cut here
sends every row that way.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, missing, validate

from stockroom.core.fields import JsonObject, Pieces, Text
from stockroom.core.json_values import fits
from stockroom.products.fields import Options, Price

ODD = object()
"""What a short cut makes of a value that it does not know."""

ShortCut = Callable[[Any], Any]

_PLAIN_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")
_json = json.JSONEncoder(separators=(",", ":")).encode


class OrdinaryRows:
    """Loads what a schema loads, and refuses what it refuses.

    :param schema: one whose fields alone decide, and that leaves out what it does not know.
    """

    def __init__(self, schema: Schema) -> None:
        if schema.unknown != EXCLUDE:
            raise ValueError("Such a schema refuses names that are passed over here.")
        self._schema = schema
        self._needed = {
            name
            for name, field in schema.load_fields.items()
            if field.required or field.load_default is not missing
        }
        self._short_cuts = {name: _short_cut(field) for name, field in schema.load_fields.items()}

    def load(self, values: Mapping[str, Any]) -> Any:
        """:raises ValidationError: as the schema does."""
        loaded: dict[str, Any] = {}
        for name, value in values.items():
            if (short_cut := self._short_cuts.get(name)) is None:
                continue
            made = short_cut(value)
            if made is ODD:
                return self._schema.load(values)
            loaded[name] = made
        return loaded if self._needed <= loaded.keys() else self._schema.load(values)


def _short_cut(field: fields.Field[Any]) -> ShortCut:
    make: Callable[[Any], ShortCut] = _SHORT_CUTS.get(type(field), _none)
    return make(field)


def _none(_field: fields.Field[Any]) -> ShortCut:
    return lambda _value: ODD


def _text(field: Text) -> ShortCut:
    longest, blank = field.longest, None if field.allow_none else ODD
    is_odd = re.compile(f"[{field.forbidden}]").search

    def read(value: Any) -> Any:
        if type(value) is not str:
            return blank if value is None else ODD
        is_plain = (
            0 < len(value) <= longest
            and (value.isascii() or unicodedata.is_normalized("NFC", value))
            # What can be printed holds nothing that is forbidden in any text.
            and (value.isprintable() or not is_odd(value))
        )
        return value if is_plain and value == value.strip() else ODD

    return read


def _price(_field: Price) -> ShortCut:
    def read(value: Any) -> Any:
        text = repr(value) if type(value) in (int, float) else value
        is_plain = type(text) is str and _PLAIN_PRICE.fullmatch(text)
        return Decimal(text) if is_plain else ODD

    return read


def _choice(field: fields.String) -> ShortCut:
    if len(field.validators) != 1 or not isinstance(field.validators[0], validate.OneOf):
        return _none(field)
    choices = frozenset(field.validators[0].choices)
    return lambda value: value if type(value) is str and value in choices else ODD


def _member(field: fields.Enum[Any]) -> ShortCut:
    members = {member.value: member for member in field.enum} if field.by_value else {}
    return lambda value: members.get(value, ODD) if type(value) is str else ODD


def _pieces(field: Pieces) -> ShortCut:
    (bounds,) = field.validators
    assert isinstance(bounds, validate.Range)  # noqa: S101 - tells the type checker
    least, most = bounds.min, bounds.max
    blank = None if field.allow_none else ODD

    def read(value: Any) -> Any:
        if type(value) is not int:
            return blank if value is None else ODD
        return value if least <= value <= most else ODD

    return read


def _options(field: Options) -> ShortCut:
    key, text = _text(field.key_field), _text(field.value_field)  # type: ignore[arg-type]
    (length,) = field.validators
    most = (isinstance(length, validate.Length) and length.max) or 0

    def read(value: Any) -> Any:
        if type(value) is not dict or len(value) > most:
            return ODD
        is_plain = all(key(name) is name and text(it) is it for name, it in value.items())
        return value if is_plain else ODD

    return read


def _json_object(field: JsonObject) -> ShortCut:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            return ODD
        written = _json(value)
        # With escapes it is never shorter; and without any it has nothing that cannot be stored.
        return value if "\\" not in written and fits(written, field.longest) else ODD

    return read


_SHORT_CUTS: Mapping[type, Callable[[Any], ShortCut]] = {
    Text: _text,
    Price: _price,
    fields.String: _choice,
    fields.Enum: _member,
    Pieces: _pieces,
    Options: _options,
    JsonObject: _json_object,
}

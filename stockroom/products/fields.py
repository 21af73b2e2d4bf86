import re
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from stockroom.currencies import MOST_DECIMALS
from stockroom.products.money import WHOLE_DIGITS, format_price

_PRICE = re.compile(rf"[0-9]{{1,{WHOLE_DIGITS}}}(\.[0-9]{{1,{MOST_DECIMALS}}})?")


class Price(fields.Field[Decimal]):
    """An exact amount: the string ``"12.50"``, or a JSON number, in; always a string out.

    The object that is dumped has a ``currency``, whose decimals the string then has.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        # The shortest text of a float is what was written: 15 digits survive, 14 are allowed.
        text = f"{Decimal(repr(value or 0)):f}" if is_number else value
        if is_number and "." in text:
            text = text.rstrip("0").rstrip(".")
        if not isinstance(text, str) or not _PRICE.fullmatch(text.strip()):
            raise ValidationError(
                f'Not a price: write "12.50", from 0, with at most {WHOLE_DIGITS} digits and '
                f"{MOST_DECIMALS} decimals."
            )
        return Decimal(text.strip())

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return format_price(value, obj.currency)

    def openapi(self) -> dict[str, Any]:
        if self.dump_only:
            return {"type": "string", "pattern": f"^{_PRICE.pattern}$", "examples": ["12.50"]}
        text = {"type": "string", "pattern": rf"^\s*{_PRICE.pattern}\s*$"}
        number = {
            "type": "number",
            "minimum": 0,
            "maximum": float(f"{10**WHOLE_DIGITS - 1}.999"),
            "multipleOf": 0.001,
        }
        return {"oneOf": [text, number], "examples": ["12.50"]}


class Options(fields.Dict):
    """Texts by name, where no two names become one by trimming or normalising."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        options: dict[str, str] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        if len(options) < len(value):
            raise ValidationError("Two names differ only in spaces around them or in encoding.")
        return options

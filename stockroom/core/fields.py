"""Fields that hold this API's rules on texts, addresses, times and JSON."""

import json
import re
import unicodedata
from datetime import UTC
from typing import Any

from marshmallow import ValidationError, fields, validate

from stockroom.core.addresses import LONGEST_ADDRESS, normal_address
from stockroom.core.json_values import fits

# JSON's escapes let through what PostgreSQL cannot store: NUL, and halves of surrogate pairs.
# A single line has no control characters and no line breaks either.
_UNSTORABLE = "\x00\ud800-\udfff"
_NOT_IN_A_LINE = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
# What str.strip() takes away.
_BLANK = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# A NUL in JSON text is an escape; with another backslash before it, it is six plain characters.
_UNSTORABLE_JSON = r"(?<!\\)(\\\\)*\\u0000|[\ud800-\udfff]"
MOST_PIECES = 1_000_000_000
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})",
    re.ASCII | re.IGNORECASE,
)


def require_at_most(longest: int, text: str) -> None:
    """:raises ValidationError: for a text of more characters."""
    if len(text) > longest:
        raise ValidationError(f"Longer than {longest} characters.")


class Text(fields.String):
    """Unicode text: NFC-normalised and trimmed.

    Blank text is none at all: null where the field allows it, refused where it does not.

    :param longest: characters, counted before trimming, as sent and as normalised.
    :param lines: whether line breaks, tabs and other control characters may stand in it.
    """

    def __init__(self, longest: int, *, lines: bool = False, **kwargs: Any) -> None:
        self.longest = longest
        self.forbidden = _UNSTORABLE if lines else _NOT_IN_A_LINE
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        # Before it is normalised, which takes a minute for a million combining marks.
        require_at_most(self.longest, text)
        if re.search(f"[{self.forbidden}]", text):
            raise ValidationError("Holds characters that text cannot have.")
        normal = unicodedata.normalize("NFC", text)
        require_at_most(self.longest, normal)
        if not normal.strip() and not self.allow_none:
            raise ValidationError("Must not be blank.")
        return normal.strip() or None

    def openapi(self) -> dict[str, Any]:
        # No document can hold half of a surrogate pair, so none has to forbid it.
        any_of = f"[^{self.forbidden}]".replace("\ud800-\udfff", "")
        pattern = any_of + "*"
        if not self.allow_none:
            pattern += any_of.replace("]", f"{_BLANK}]") + any_of + "*"
        readable = pattern.encode("unicode_escape").decode()
        return {"maxLength": self.longest, "pattern": f"^{readable}$"}


class Email(fields.String):
    """An address that mail could be sent to, in lower case; its domain is not looked up."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        require_at_most(LONGEST_ADDRESS, text)
        try:
            address = normal_address(text)
        except ValueError as error:
            raise ValidationError(f"Not an email address. {error}") from None
        require_at_most(LONGEST_ADDRESS, address)
        return address

    def openapi(self) -> dict[str, Any]:
        return {
            "format": "email",
            "maxLength": LONGEST_ADDRESS,
            "examples": ["ada@example.com"],
        }


class Moment(fields.AwareDateTime):
    """A point in time with its offset (RFC 3339), in UTC from then on."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
            raise ValidationError("Not a time with its offset: write 2026-01-31T12:00:00Z.")
        moment = super()._deserialize(value.upper(), attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Before the year 1 or after the year 9999.") from None


class Flag(fields.Boolean):
    """``true`` or ``false``, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Pieces(fields.Integer):
    """A number of pieces: a whole number of at most a billion, and nothing that looks like one."""

    def __init__(self, minimum: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(minimum, MOST_PIECES), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # JSON knows one kind of number: 5.0 is 5.
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not is_whole:
            raise ValidationError("Not a whole number.")
        return super()._deserialize(value, attr, data, **kwargs)


class QueryFlag(fields.Boolean):
    """``true`` or ``false`` in a query string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(truthy={"true"}, falsy={"false"}, **kwargs)


class QueryInteger(fields.Integer):
    """A whole number in a query string: digits, and nothing else that Python reads as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not re.fullmatch("-?[0-9]{1,18}", value):
            raise ValidationError("Not a whole number.")
        return super()._deserialize(value, attr, data, **kwargs)


class Items(fields.List[Any]):
    """One to ``most`` of something, counted before any of them is looked at."""

    def __init__(self, item: fields.Field[Any], most: int, **kwargs: Any) -> None:
        self.count = validate.Length(1, most)
        super().__init__(item, validate=[self.count, *kwargs.pop("validate", ())], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list):
            self.count(value)
        return super()._deserialize(value, attr, data, **kwargs)


class JsonObject(fields.Dict):
    """A JSON object of any content that PostgreSQL can store.

    :param longest: bytes of its compact JSON text, with the digits of every number written out.
    """

    def __init__(self, longest: int, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        loaded: dict[str, Any] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        text = json.dumps(loaded, ensure_ascii=False, separators=(",", ":"))
        if re.search(_UNSTORABLE_JSON, text):
            raise ValidationError("Holds characters that text cannot have.")
        if not fits(text, self.longest):
            raise ValidationError(f"Longer than {self.longest} bytes of JSON.")
        return loaded

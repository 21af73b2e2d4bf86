from typing import Any

from marshmallow import ValidationError, fields

from stockroom.outbox.types import LONGEST_TYPE, PATTERN, is_pattern


class Pattern(fields.String):
    """A type of events, such as ``product.created``, or all of a kind, such as ``product.*``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > LONGEST_TYPE:
            raise ValidationError(f"Longer than {LONGEST_TYPE} characters.")
        if not is_pattern(text):
            raise ValidationError("Not a type of events, such as product.created or product.*.")
        return text

    def openapi(self) -> dict[str, Any]:
        return {"pattern": f"^({PATTERN})$", "maxLength": LONGEST_TYPE}

from typing import Any

from marshmallow import ValidationError, fields

from stockroom.core.permissions import SCOPES, Permission


class Scope(fields.Enum[Permission]):
    """A permission that an API key can be given."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Permission, by_value=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value not in _NAMES:
            raise ValidationError(f"Must be one of: {', '.join(_NAMES)}.")
        return super()._deserialize(value, attr, data, **kwargs)

    def openapi(self) -> dict[str, Any]:
        return {"enum": _NAMES}


_NAMES = sorted(scope.value for scope in SCOPES)

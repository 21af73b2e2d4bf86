from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError, fields

from stockroom.api_keys.fields import Scope
from stockroom.api_keys.service import LONGEST_YEARS, Issued
from stockroom.core.fields import Items, Moment, Text
from stockroom.core.permissions import SCOPES, Permission
from stockroom.core.schemas import BaseSchema


def _distinct(scopes: Sequence[Permission]) -> None:
    if len(set(scopes)) < len(scopes):
        raise ValidationError("Names a scope twice.")


class NewApiKeySchema(BaseSchema):
    name = Text(
        100, required=True, metadata={"description": "What it is for.", "examples": ["Till 3"]}
    )
    scopes = Items(
        Scope(),
        most=len(SCOPES),
        required=True,
        validate=[_distinct],
        metadata={
            "description": "All that the key may do, of what your role may do.",
            "uniqueItems": True,
            "examples": [["catalogue:export"]],
        },
    )
    expires_at = Moment(
        allow_none=True,
        metadata={
            "description": "In the future, and at most "
            f"{LONGEST_YEARS} years away. Without it, the key is good until it is revoked."
        },
    )


class ApiKeySchema(BaseSchema):
    """An API key of your own. The key itself is shown only when it is made."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    prefix = fields.String(required=True, metadata={"description": "How the key begins."})
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    last_used_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "To the minute."}
    )


class IssuedApiKeySchema(ApiKeySchema):
    """An API key with the key itself, which is shown this once."""

    key = fields.String(
        required=True,
        metadata={"description": "Send it as `X-API-Key`; keep it like a password."},
    )

    def get_attribute(self, obj: Issued, attr: str, default: Any) -> Any:
        return obj.key if attr == "key" else super().get_attribute(obj.api_key, attr, default)

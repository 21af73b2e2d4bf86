"""The base of all shapes at the border."""

from typing import Any, ClassVar

from marshmallow import RAISE, Schema


class BaseSchema(Schema):
    """A shape that has the fields it names and no others.

    :cvar keywords: what the OpenAPI document says of it that does not follow from its fields.
    """

    keywords: ClassVar[dict[str, Any]] = {}

    class Meta:  # noqa: D106 - marshmallow's name for its options
        unknown = RAISE

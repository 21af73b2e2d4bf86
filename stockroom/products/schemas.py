from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from stockroom.core.fields import JsonObject, Moment, Pieces, QueryFlag, Text
from stockroom.core.http.pages import PageQuery
from stockroom.core.schemas import BaseSchema
from stockroom.currencies import CURRENCIES
from stockroom.products.fields import Options, Price
from stockroom.products.filters import RELEVANCE, SORTS
from stockroom.products.models import ProductStatus

MOST_OPTIONS = 20


class ProductInputSchema(BaseSchema):
    """What a client sets on a product; all of it for a new one, any of it in a change."""

    sku = Text(64, required=True, metadata={"examples": ["MUG-BLUE"]})
    name = Text(200, required=True, metadata={"examples": ["Blue mug"]})
    description = Text(
        10_000, lines=True, allow_none=True, metadata={"examples": ["Stoneware, 350 ml."]}
    )
    price = Price(required=True)
    currency = fields.String(
        validate=validate.OneOf(CURRENCIES),
        metadata={"description": "ISO 4217; the shop's own if left out.", "examples": ["EUR"]},
    )
    family = Text(
        64,
        allow_none=True,
        metadata={"description": "Shared by variants.", "examples": ["MUG"]},
    )
    options = Options(
        keys=Text(64),
        values=Text(200),
        validate=validate.Length(max=MOST_OPTIONS),
        metadata={"description": "What tells variants apart.", "examples": [{"colour": "blue"}]},
    )
    attributes = JsonObject(
        20_000,
        metadata={
            "description": "Anything else: a JSON object.",
            "examples": [{"dishwasher_safe": True}],
        },
    )
    status = fields.Enum(
        ProductStatus,
        by_value=True,
        metadata={"description": "`active` if left out.", "examples": ["active"]},
    )
    low_stock_threshold = Pieces(
        minimum=0,
        allow_none=True,
        metadata={
            "description": "As few pieces are low; the shop's own number if null.",
            "examples": [5],
        },
    )


class NewProductSchema(ProductInputSchema):
    stock = Pieces(
        minimum=0, metadata={"description": "Pieces that are there already.", "examples": [20]}
    )


class ProductSchema(BaseSchema):
    id = fields.UUID(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    price = Price(required=True, dump_only=True)
    currency = fields.String(required=True)
    family = fields.String(required=True, allow_none=True)
    options = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    attributes = fields.Dict(required=True)
    status = fields.Enum(ProductStatus, by_value=True, required=True)
    available = fields.Integer(
        required=True, metadata={"description": "Pieces on hand and promised to nobody."}
    )
    low_stock_threshold = fields.Integer(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class ListedProductSchema(ProductSchema):
    """A product in a list, where ``fields`` may leave out any part of it."""

    keywords = {"required": []}  # noqa: RUF012 - as in the base class


FIELD_NAMES = tuple(ProductSchema().fields)


class FieldNames(fields.String):
    """Names of fields of a product, with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        names = super()._deserialize(value, attr, data, **kwargs).split(",")
        if unknown := sorted({name for name in names if name not in FIELD_NAMES}):
            raise ValidationError(f"No such fields: {', '.join(unknown)}.")
        return names

    def openapi(self) -> dict[str, Any]:
        name = "|".join(FIELD_NAMES)
        return {"pattern": f"^({name})(,({name}))*$", "examples": ["id,sku,name,price"]}


class ProductQuery(PageQuery):
    q = Text(200, metadata={"description": "Words in SKU, name or description; best first."})
    sku = Text(64, metadata={"description": "Exactly this SKU, in any case."})
    family = Text(64)
    currency = fields.String(validate=validate.OneOf(CURRENCIES))
    status = fields.Enum(
        ProductStatus,
        by_value=True,
        metadata={"description": "Only staff see products that are not active."},
    )
    price_min = Price()
    price_max = Price()
    in_stock = QueryFlag(metadata={"description": "Whether any piece is available."})
    updated_since = Moment(metadata={"description": "RFC 3339, with its offset."})
    sort = fields.String(
        validate=validate.OneOf(SORTS),
        metadata={"description": "`relevance` with `q`, else `-created_at`, if left out."},
    )
    fields = FieldNames(  # type: ignore[assignment]  # marshmallow's own name, taken out before it is set
        metadata={"description": "Only these fields of each product."}
    )

    @validates_schema
    def relevance_needs_words(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("sort") == RELEVANCE and "q" not in data:
            raise ValidationError("Relevance needs q.", "sort")

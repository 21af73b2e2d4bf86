from datetime import timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from stockroom.core.database import now
from stockroom.core.fields import MOST_PIECES, Items, Moment, Pieces, Text
from stockroom.core.http.pages import PageQuery
from stockroom.core.schemas import BaseSchema
from stockroom.stock.filters import Step
from stockroom.stock.models import MovementKind, ReservationStatus
from stockroom.stock.reservations import HOLD_SECONDS, LONGEST_HOLD_SECONDS

MOST_LINES = 2000
CLOCK_SKEW = timedelta(minutes=5)


class LocationCode(Text):
    """The code of a location: lower case letters, digits and hyphens."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(32, validate=validate.Regexp(r"[a-z0-9][a-z0-9-]*\Z"), **kwargs)

    def openapi(self) -> dict[str, Any]:
        return {"maxLength": 32, "pattern": "^[a-z0-9][a-z0-9-]*$", "examples": ["main"]}


class NewLocationSchema(BaseSchema):
    code = LocationCode(required=True, metadata={"description": "For good: it cannot be changed."})
    name = Text(200, required=True, metadata={"examples": ["Main warehouse"]})


class LocationSchema(BaseSchema):
    id = fields.UUID(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class LevelSchema(BaseSchema):
    on_hand = fields.Integer(required=True, metadata={"description": "Pieces that lie there."})
    reserved = fields.Integer(
        required=True, metadata={"description": "Of these, the ones that are promised."}
    )
    available = fields.Integer(required=True, metadata={"description": "The others."})


class StockSchema(BaseSchema):
    """The pieces of a product: in all, and by the code of each location."""

    product_id = fields.UUID(required=True)
    sku = fields.String(required=True)
    on_hand = fields.Integer(required=True, attribute="total.on_hand")
    reserved = fields.Integer(required=True, attribute="total.reserved")
    available = fields.Integer(required=True, attribute="total.available")
    locations = fields.Dict(keys=fields.String(), values=fields.Nested(LevelSchema), required=True)


class NewMovementSchema(BaseSchema):
    """A movement; what goes with what is checked as one."""

    kind = fields.Enum(MovementKind, by_value=True, required=True)
    quantity = Pieces(
        minimum=-MOST_PIECES,
        required=True,
        metadata={"description": "Pieces, from 1; of an adjustment signed.", "examples": [5]},
    )
    reason = Text(500, metadata={"description": "Needed for an adjustment."})
    location = LocationCode(
        metadata={"description": "`main` if left out; where a transfer begins."}
    )
    to_location = LocationCode(metadata={"description": "Where a transfer ends."})
    reference = Text(200, metadata={"description": "An order or a document of yours."})
    occurred_at = Moment(metadata={"description": "When it happened: now, if left out."})

    @validates_schema
    def fits_together(self, data: dict[str, Any], **_: Any) -> None:
        kind, quantity = data.get("kind"), data.get("quantity", 1)
        if quantity == 0:
            raise ValidationError("Nothing is moved.", "quantity")
        if quantity < 0 and kind is not MovementKind.ADJUSTED:
            raise ValidationError("Only an adjustment can be negative.", "quantity")
        if "occurred_at" in data and data["occurred_at"] > now() + CLOCK_SKEW:
            raise ValidationError("Lies in the future.", "occurred_at")
        if kind is MovementKind.ADJUSTED and "reason" not in data:
            raise ValidationError("An adjustment needs a reason.", "reason")
        _check_ends(data)


def _check_ends(data: dict[str, Any]) -> None:
    is_transfer = data.get("kind") is MovementKind.TRANSFERRED
    if is_transfer != ("to_location" in data):
        raise ValidationError("Goes with a transfer, and only with one.", "to_location")
    if is_transfer and data["to_location"] == data.get("location", "main"):
        raise ValidationError("Must be another place than the one it begins at.", "to_location")


class MovementSchema(BaseSchema):
    id = fields.UUID(required=True)
    product_id = fields.UUID(required=True)
    location = fields.String(required=True)
    kind = fields.Enum(MovementKind, by_value=True, required=True)
    quantity = fields.Integer(required=True, metadata={"description": "As it was asked for."})
    change = fields.Integer(
        required=True, metadata={"description": "Negative where pieces went out."}
    )
    balance = fields.Integer(
        required=True,
        metadata={"description": "On hand after it, in the order of recording."},
    )
    reason = fields.String(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    actor_id = fields.UUID(required=True, allow_none=True)
    occurred_at = fields.AwareDateTime(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class MovementQuery(PageQuery):
    kind = fields.Enum(MovementKind, by_value=True)
    location = LocationCode()
    reference = Text(200)


class HistoryQuery(BaseSchema):
    begin = Moment(
        data_key="from", metadata={"description": "Thirty steps before `to`, if left out."}
    )
    end = Moment(data_key="to", metadata={"description": "Now, if left out."})
    step = fields.Enum(Step, by_value=True, load_default=Step.DAY)


class PointSchema(BaseSchema):
    at = fields.AwareDateTime(
        required=True, metadata={"description": "When the step begins, in UTC."}
    )
    change = fields.Integer(
        required=True, metadata={"description": "By how many pieces the stock changed in it."}
    )
    on_hand = fields.Integer(required=True, metadata={"description": "Pieces at its end."})


class HistorySchema(BaseSchema):
    step = fields.Enum(Step, by_value=True, required=True)
    points = fields.List(fields.Nested(PointSchema), required=True)


class LowSchema(BaseSchema):
    product_id = fields.UUID(required=True, attribute="product.id")
    sku = fields.String(required=True, attribute="product.sku")
    name = fields.String(required=True, attribute="product.name")
    available = fields.Integer(required=True, attribute="product.available")
    threshold = fields.Integer(
        required=True, metadata={"description": "The product's own, or else the shop's."}
    )


class NewLineSchema(BaseSchema):
    """Pieces of one product, which `sku` or `product_id` names: one of the two."""

    sku = Text(64, metadata={"examples": ["MUG-BLUE"]})
    product_id = fields.UUID()
    quantity = Pieces(minimum=1, required=True, metadata={"examples": [2]})
    location = LocationCode(metadata={"description": "Anywhere, if left out."})

    @validates_schema
    def names_one_product(self, data: dict[str, Any], **_: Any) -> None:
        if ("sku" in data) == ("product_id" in data):
            raise ValidationError("Name the product by its sku or by its product_id.", "sku")


class HoldSchema(BaseSchema):
    hold_seconds = Pieces(
        minimum=1,
        metadata={"description": f"{HOLD_SECONDS} if left out; a day at most.", "examples": [600]},
    )

    @validates_schema
    def is_a_day_at_most(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("hold_seconds", 0) > LONGEST_HOLD_SECONDS:
            raise ValidationError(f"At most {LONGEST_HOLD_SECONDS}: a day.", "hold_seconds")


class NewReservationSchema(HoldSchema):
    lines = Items(fields.Nested(NewLineSchema), most=MOST_LINES, required=True)
    reference = Text(200, metadata={"description": "An order or a cart of yours."})


class LineSchema(BaseSchema):
    product_id = fields.UUID(required=True)
    sku = fields.String(required=True)
    location = fields.String(required=True)
    quantity = fields.Integer(required=True)


class ReservationSchema(BaseSchema):
    id = fields.UUID(required=True)
    status = fields.Enum(
        ReservationStatus, by_value=True, required=True, attribute="present_status"
    )
    user_id = fields.UUID(required=True)
    reference = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class ReservationQuery(PageQuery):
    status = fields.Enum(ReservationStatus, by_value=True)

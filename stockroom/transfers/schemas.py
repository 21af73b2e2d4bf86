from marshmallow import fields

from stockroom.core.schemas import BaseSchema
from stockroom.transfers.formats import Format


class ExportQuery(BaseSchema):
    format = fields.Enum(Format, by_value=True, load_default=Format.CSV)

from marshmallow import fields, validate

from stockroom.core.fields import Text
from stockroom.core.schemas import BaseSchema
from stockroom.second_factor.codes import RECOVERY_CODES

LONGEST_CODE = 32


class CodeSchema(BaseSchema):
    code = Text(LONGEST_CODE, required=True, metadata={"examples": ["123456"]})


class SetupSchema(BaseSchema):
    """What an authenticator needs; shown this once."""

    secret = fields.String(required=True, metadata={"description": "Base32, to be typed."})
    otpauth_uri = fields.String(required=True, metadata={"format": "uri"})
    qr_svg = fields.String(
        required=True, metadata={"description": "The URI as a picture: an SVG document."}
    )


class RecoveryCodesSchema(BaseSchema):
    """Each is good once, in place of a code; shown this once."""

    recovery_codes = fields.List(
        fields.String(), required=True, validate=validate.Length(equal=RECOVERY_CODES)
    )


class SecondFactorSchema(BaseSchema):
    """Whether the account has a second factor."""

    enabled = fields.Boolean(required=True, attribute="is_enabled")
    enabled_at = fields.AwareDateTime(required=True, allow_none=True)
    recovery_codes_left = fields.Integer(required=True)

from marshmallow import fields

from stockroom.core.fields import Email, Flag, QueryFlag, Text
from stockroom.core.http.pages import PageQuery
from stockroom.core.permissions import Role
from stockroom.core.schemas import BaseSchema
from stockroom.users.fields import Password


class UserSchema(BaseSchema):
    """An account, as its owner and administrators see it."""

    id = fields.UUID(required=True)
    email = fields.String(required=True, metadata={"format": "email"})
    full_name = fields.String(required=True, allow_none=True)
    role = fields.Enum(Role, by_value=True, required=True)
    is_active = fields.Boolean(required=True)
    email_verified = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class ExportSchema(BaseSchema):
    """All that is kept on a person."""

    parts = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        required=True,
        metadata={"description": "`account`, `sessions`, …: what each part of the service keeps."},
    )


class OwnChangesSchema(BaseSchema):
    """What people may change about their own account."""

    full_name = Text(200, allow_none=True, metadata={"examples": ["Ada Lovelace"]})


class UserChangesSchema(OwnChangesSchema):
    """What an administrator may change about an account."""

    email = Email()
    role = fields.Enum(Role, by_value=True)
    is_active = Flag()


class NewUserSchema(BaseSchema):
    """An account that an administrator makes for somebody."""

    email = Email(required=True)
    password = Password(required=True)
    full_name = Text(200, allow_none=True, metadata={"examples": ["Ada Lovelace"]})
    role = fields.Enum(Role, by_value=True, metadata={"description": "`customer` if left out."})


class UserQuery(PageQuery):
    q = Text(200, metadata={"description": "Anywhere in the address or the name."})
    role = fields.Enum(Role, by_value=True)
    is_active = QueryFlag()

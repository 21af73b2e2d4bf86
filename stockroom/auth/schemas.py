from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, pre_load, validate
from webargs.multidictproxy import MultiDictProxy

from stockroom.auth.cookies import Transport
from stockroom.auth.errors import TokenRequestRefused
from stockroom.auth.sessions import Scope
from stockroom.core.callers.identity import current_caller
from stockroom.core.errors import in_one_line
from stockroom.core.fields import Text
from stockroom.core.schemas import BaseSchema
from stockroom.second_factor.schemas import LONGEST_CODE
from stockroom.users.fields import Password

LONGEST_TOKEN = 4096


_CODE = {"description": "Of the second factor, or a recovery code, if the account has one."}


class CredentialsSchema(BaseSchema):
    email = Text(254, required=True, metadata={"examples": ["ada@example.com"]})
    password = Password(shortest=1, required=True)
    code = Text(LONGEST_CODE, metadata=_CODE)


class TransportQuery(BaseSchema):
    transport = fields.Enum(
        Transport,
        by_value=True,
        load_default=Transport.BODY,
        metadata={"description": "Where the tokens go: into the answer's body, or into cookies."},
    )


class ReauthenticationSchema(BaseSchema):
    password = Password(shortest=1, required=True)
    code = Text(LONGEST_CODE, metadata=_CODE)


class PasswordChangeSchema(BaseSchema):
    current_password = Password(shortest=1, required=True)
    new_password = Password(required=True)


class RefreshSchema(BaseSchema):
    refresh_token = Text(LONGEST_TOKEN, required=True)


class TokensSchema(BaseSchema):
    """RFC 6749, 5.1."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("bearer"))
    expires_in = fields.Integer(
        required=True, metadata={"description": "Seconds until the access token expires."}
    )


def _grant(name: str, *parameters: str) -> dict[str, Any]:
    """The parameters that a grant needs, as JSON Schema has it."""
    return {
        "properties": {"grant_type": {"const": name}},
        "required": ["grant_type", *parameters],
    }


class TokenRequestSchema(BaseSchema):
    """RFC 6749, 4.3.2 and 6. What is missing is answered as 5.2 has it, not with 422."""

    class Meta:  # noqa: D106 - marshmallow's name for its options
        # OAuth 2.0 has servers ignore parameters that they do not know (RFC 6749, 3.2).
        unknown = EXCLUDE

    keywords = {  # noqa: RUF012 - as in the base class
        "oneOf": [
            _grant("password", "username", "password"),
            _grant("refresh_token", "refresh_token"),
        ]
    }

    @pre_load
    def leave_out_empty(self, data: MultiDictProxy, **_: object) -> dict[str, str]:
        """As RFC 6749, 3.2 has it: a parameter without a value counts as left out, and one
        that is sent twice makes the request invalid.
        """
        if repeated := [name for name, values in data.lists() if len(values) > 1]:
            raise TokenRequestRefused("invalid_request", f"Sent twice: {', '.join(repeated)}.")
        return {name: value for name, value in data.items() if value}

    def handle_error(self, error: ValidationError, *_args: object, **_kwargs: object) -> None:
        raise TokenRequestRefused("invalid_request", in_one_line(error.messages_dict))

    grant_type = Text(50, metadata={"enum": ["password", "refresh_token"]})
    username = Text(254, metadata={"description": "The email address."})
    password = Password(shortest=1)
    code = Text(LONGEST_CODE, metadata=_CODE)
    refresh_token = Text(LONGEST_TOKEN)


class LogoutQuery(BaseSchema):
    scope = fields.Enum(Scope, by_value=True, load_default=Scope.LOCAL)


class _IsCurrent(fields.Boolean):
    """Whether the session is the one that the request was made in; no attribute of its own."""

    _CHECK_ATTRIBUTE = False

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> bool:
        return bool(obj.id == current_caller().session_id)


class SessionSchema(BaseSchema):
    """An open session of your own."""

    id = fields.UUID(required=True)
    device = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    is_current = _IsCurrent(required=True)

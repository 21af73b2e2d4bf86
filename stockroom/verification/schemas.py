from stockroom.core.fields import Email, Text
from stockroom.core.schemas import BaseSchema
from stockroom.users.fields import Password

LONGEST_TOKEN = 200


class RegistrationSchema(BaseSchema):
    email = Email(required=True)
    password = Password(required=True)
    full_name = Text(200, allow_none=True, metadata={"examples": ["Ada Lovelace"]})


class MailedTokenSchema(BaseSchema):
    token = Text(LONGEST_TOKEN, required=True, metadata={"description": "From the mail."})


class PasswordResetSchema(MailedTokenSchema):
    new_password = Password(required=True)


class AddressSchema(BaseSchema):
    email = Email(required=True)


class VerificationRequestSchema(BaseSchema):
    email = Email(
        metadata={"description": "For who cannot log in yet; whoever has needs not send it."}
    )


class AddressChangeSchema(BaseSchema):
    email = Email(required=True)
    password = Password(shortest=1, required=True)

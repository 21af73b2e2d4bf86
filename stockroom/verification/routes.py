from typing import Any

from stockroom.auth.errors import BadCredentials, TooManyAttempts
from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import Access, current_caller, is_somebody
from stockroom.core.errors import InvalidInput
from stockroom.core.permissions import Permission
from stockroom.users.errors import EmailTaken
from stockroom.users.models import User
from stockroom.users.schemas import UserSchema
from stockroom.verification import service
from stockroom.verification.errors import InvalidMailedToken
from stockroom.verification.models import Purpose
from stockroom.verification.schemas import (
    AddressChangeSchema,
    AddressSchema,
    MailedTokenSchema,
    PasswordResetSchema,
    RegistrationSchema,
    VerificationRequestSchema,
)

blueprint = Blueprint(
    "verification", __name__, url_prefix="/auth", description="What is proven by a mail."
)


@blueprint.post("/register")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_register")
@blueprint.arguments(RegistrationSchema)
@blueprint.response(201, UserSchema)
@blueprint.etag
@blueprint.raises(EmailTaken)
def register(registration: dict[str, Any]) -> User:
    """Open an account of your own, as a customer; a mail with a token verifies the address."""
    return service.register(**registration)


@blueprint.post("/verify-email")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(MailedTokenSchema)
@blueprint.response(204)
@blueprint.raises(InvalidMailedToken)
def verify_email(body: dict[str, str]) -> None:
    """Verify an address by the token that was mailed there."""
    service.verify(body["token"])


@blueprint.post("/verify-email/request")
@blueprint.allow(Access.ANYONE)
@blueprint.limited("rate_limit_mail")
@blueprint.optional_body(VerificationRequestSchema)
@blueprint.accepted
def request_verification(body: dict[str, str] | None) -> None:
    """Ask for a mail that verifies an address: your own, or that of an account not verified yet."""
    if is_somebody():
        service.request_own_verification(current_caller())
    elif body and "email" in body:
        service.request_mail(Purpose.VERIFY, body["email"])
    else:
        raise InvalidInput({"email": ["Needed from who is not logged in."]})


@blueprint.post("/password/forgot")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_mail")
@blueprint.arguments(AddressSchema)
@blueprint.accepted
def forgot_password(body: dict[str, str]) -> None:
    """Ask for a mail that lets you choose another password, whether or not you have an account."""
    service.request_mail(Purpose.RESET, body["email"])


@blueprint.post("/password/reset")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(PasswordResetSchema)
@blueprint.response(204)
@blueprint.raises(InvalidMailedToken)
def reset_password(body: dict[str, str]) -> None:
    """Choose another password by the token from the mail; all sessions end."""
    service.reset_password(body["token"], body["new_password"])


@blueprint.post("/email/change")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.limited("rate_limit_mail")
@blueprint.arguments(AddressChangeSchema)
@blueprint.accepted
@blueprint.raises(BadCredentials, TooManyAttempts)
def request_email_change(body: dict[str, str]) -> None:
    """Ask for another address: a mail with a token goes there."""
    service.request_change(current_caller(), body["email"], body["password"])


@blueprint.post("/email/confirm")
@blueprint.allow(Access.PUBLIC)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(MailedTokenSchema)
@blueprint.response(204)
@blueprint.raises(InvalidMailedToken, EmailTaken)
def confirm_email_change(body: dict[str, str]) -> None:
    """Take the address that the token was mailed to."""
    service.confirm_change(body["token"])

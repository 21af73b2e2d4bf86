from typing import Any

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import current_caller
from stockroom.core.permissions import Permission
from stockroom.second_factor import service
from stockroom.second_factor.errors import CodeNotConfirmed, NoSecondFactor, SecondFactorEnabled
from stockroom.second_factor.schemas import (
    CodeSchema,
    RecoveryCodesSchema,
    SecondFactorSchema,
    SetupSchema,
)

blueprint = Blueprint(
    "second_factor", __name__, url_prefix="/auth/totp", description="A second factor for logins."
)


@blueprint.get("")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.response(200, SecondFactorSchema)
def read_second_factor() -> service.State:
    """Read whether you have a second factor."""
    return service.state(current_caller().user_id)


@blueprint.post("")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.response(200, SetupSchema)
@blueprint.raises(SecondFactorEnabled)
def begin_second_factor() -> service.Setup:
    """Begin to set up a second factor: show the picture to an authenticator, then confirm."""
    return service.begin(current_caller().user_id)


@blueprint.post("/confirm")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.limited("rate_limit_login")
@blueprint.arguments(CodeSchema)
@blueprint.response(200, RecoveryCodesSchema)
@blueprint.raises(NoSecondFactor, SecondFactorEnabled, CodeNotConfirmed)
def confirm_second_factor(body: dict[str, str]) -> dict[str, Any]:
    """Switch the second factor on by a first code, and get recovery codes."""
    return {"recovery_codes": service.confirm(current_caller().user_id, body["code"])}


@blueprint.post("/recovery-codes")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.response(200, RecoveryCodesSchema)
@blueprint.raises(NoSecondFactor)
def replace_recovery_codes() -> dict[str, Any]:
    """Get new recovery codes; those before are void."""
    return {"recovery_codes": service.replace_recovery_codes(current_caller().user_id)}


@blueprint.delete("")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.response(204)
@blueprint.raises(NoSecondFactor)
def disable_second_factor() -> None:
    """Switch the second factor off."""
    service.disable(current_caller().user_id)

from typing import Any
from uuid import UUID

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import current_caller
from stockroom.core.http.etags import expected_version
from stockroom.core.http.pages import page_request
from stockroom.core.pagination import Page
from stockroom.core.permissions import Permission
from stockroom.users import service
from stockroom.users.errors import EmailTaken, LastAdministrator, UserNotFound
from stockroom.users.models import User
from stockroom.users.schemas import (
    ExportSchema,
    NewUserSchema,
    OwnChangesSchema,
    UserChangesSchema,
    UserQuery,
    UserSchema,
)

blueprint = Blueprint("users", __name__, url_prefix="/users", description="Accounts and roles.")


@blueprint.get("/me")
@blueprint.allow(Permission.ACCOUNT_OWN)
@blueprint.response(200, UserSchema)
@blueprint.etag
def read_own_account() -> User:
    """Read your own account."""
    return service.get(current_caller().user_id)


@blueprint.patch("/me")
@blueprint.allow(Permission.ACCOUNT_OWN)
@blueprint.arguments(OwnChangesSchema)
@blueprint.response(200, UserSchema)
@blueprint.etag
def change_own_account(changes: service.UserChanges) -> User:
    """Change your own account."""
    return service.change(current_caller().user_id, changes, expected_version())


@blueprint.get("/me/export")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.response(200, ExportSchema)
def export_own_data() -> dict[str, Any]:
    """Get all that is kept on you, part by part."""
    return {"parts": service.export(current_caller().user_id)}


@blueprint.delete("/me")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.response(204)
@blueprint.etag
@blueprint.raises(LastAdministrator)
def remove_own_account() -> None:
    """Remove your own account, all its sessions and keys, and all that is kept on you."""
    service.remove(current_caller().user_id, expected_version())


@blueprint.get("")
@blueprint.allow(Permission.USERS_MANAGE)
@blueprint.arguments(UserQuery, location="query")
@blueprint.page(UserSchema)
def list_users(query: Any) -> Page[User]:
    """List accounts, newest first."""
    page = page_request(query)
    return service.search(query, page)


@blueprint.post("")
@blueprint.allow(Permission.USERS_MANAGE)
@blueprint.idempotent
@blueprint.arguments(NewUserSchema)
@blueprint.response(201, UserSchema)
@blueprint.located("read_user", "user_id")
@blueprint.etag
@blueprint.raises(EmailTaken)
def create_user(new: dict[str, Any]) -> User:
    """Create an account for somebody."""
    return service.create(**new)


@blueprint.get("/<uuid:user_id>")
@blueprint.allow(Permission.USERS_MANAGE)
@blueprint.response(200, UserSchema)
@blueprint.etag
@blueprint.raises(UserNotFound)
def read_user(user_id: UUID) -> User:
    """Read an account."""
    return service.get(user_id)


@blueprint.patch("/<uuid:user_id>")
@blueprint.allow(Permission.USERS_MANAGE)
@blueprint.arguments(UserChangesSchema)
@blueprint.response(200, UserSchema)
@blueprint.etag
@blueprint.raises(UserNotFound, EmailTaken, LastAdministrator)
def change_user(changes: service.UserChanges, user_id: UUID) -> User:
    """Change an account: address, name, role, or whether it may log in."""
    return service.change(user_id, changes, expected_version())


@blueprint.delete("/<uuid:user_id>")
@blueprint.allow(Permission.USERS_MANAGE)
@blueprint.response(204)
@blueprint.etag
@blueprint.raises(UserNotFound, LastAdministrator)
def remove_user(user_id: UUID) -> None:
    """Remove an account, and end all its sessions."""
    service.remove(user_id, expected_version())

from typing import Any
from uuid import UUID

from stockroom.api_keys import service
from stockroom.api_keys.errors import ApiKeyNotFound, TooManyApiKeys
from stockroom.api_keys.models import ApiKey
from stockroom.api_keys.schemas import ApiKeySchema, IssuedApiKeySchema, NewApiKeySchema
from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import current_caller
from stockroom.core.http.pages import PageQuery, page_request
from stockroom.core.pagination import Page
from stockroom.core.permissions import Permission

blueprint = Blueprint(
    "api_keys", __name__, url_prefix="/auth/api-keys", description="Keys for machines."
)


@blueprint.get("")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.page(ApiKeySchema)
def list_api_keys(query: dict[str, Any]) -> Page[ApiKey]:
    """List your API keys, newest first."""
    return service.list_own(current_caller(), page_request(query))


@blueprint.post("")
@blueprint.allow(Permission.ACCOUNT_SECURE, recent=True)
@blueprint.idempotent
@blueprint.arguments(NewApiKeySchema)
@blueprint.response(201, IssuedApiKeySchema)
@blueprint.raises(TooManyApiKeys)
def create_api_key(new: dict[str, Any]) -> service.Issued:
    """Make an API key; it is shown this once."""
    return service.create(current_caller(), **new)


@blueprint.delete("/<uuid:key_id>")
@blueprint.allow(Permission.ACCOUNT_SECURE)
@blueprint.response(204)
@blueprint.raises(ApiKeyNotFound)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke one of your API keys: it stops working at once."""
    service.revoke_own(current_caller(), key_id)

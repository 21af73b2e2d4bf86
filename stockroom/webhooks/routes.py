from typing import Any
from uuid import UUID

from stockroom.core.api import Blueprint
from stockroom.core.http.etags import expected_version
from stockroom.core.http.pages import page_request
from stockroom.core.pagination import Page
from stockroom.core.permissions import Permission
from stockroom.webhooks import deliveries, service
from stockroom.webhooks.errors import DeliveryNotFound, WebhookNotActive, WebhookNotFound
from stockroom.webhooks.models import Delivery, Webhook
from stockroom.webhooks.schemas import (
    DeliveryQuery,
    DeliverySchema,
    IssuedWebhookSchema,
    LoggedDeliverySchema,
    NewWebhookSchema,
    WebhookChangesSchema,
    WebhookQuery,
    WebhookSchema,
)

blueprint = Blueprint(
    "webhooks", __name__, url_prefix="/webhooks", description="Events sent to your servers."
)


@blueprint.get("")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.arguments(WebhookQuery, location="query")
@blueprint.page(WebhookSchema)
def list_webhooks(query: Any) -> Page[Webhook]:
    """List webhooks, newest first."""
    page = page_request(query)
    return service.search(query, page)


@blueprint.post("")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.idempotent
@blueprint.arguments(NewWebhookSchema)
@blueprint.response(201, IssuedWebhookSchema)
@blueprint.located("read_webhook", "webhook_id")
@blueprint.etag
def create_webhook(new: service.WebhookFields) -> service.Issued:
    """Add an endpoint, which is sent the events to come. Its secret is shown this once."""
    return service.create(new)


@blueprint.get("/<uuid:webhook_id>")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.response(200, WebhookSchema)
@blueprint.etag
@blueprint.raises(WebhookNotFound)
def read_webhook(webhook_id: UUID) -> Webhook:
    """Read a webhook."""
    return service.get(webhook_id)


@blueprint.patch("/<uuid:webhook_id>")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.arguments(WebhookChangesSchema(partial=True))
@blueprint.response(200, WebhookSchema)
@blueprint.etag
@blueprint.raises(WebhookNotFound)
def change_webhook(changes: service.WebhookFields, webhook_id: UUID) -> Webhook:
    """Change the fields that are named, or switch the webhook off or on again."""
    return service.change(webhook_id, changes, expected_version())


@blueprint.delete("/<uuid:webhook_id>")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.response(204)
@blueprint.etag
@blueprint.raises(WebhookNotFound)
def remove_webhook(webhook_id: UUID) -> None:
    """Remove a webhook, with the log of its deliveries."""
    service.remove(webhook_id, expected_version())


@blueprint.post("/<uuid:webhook_id>/test")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.idempotent
@blueprint.response(202, DeliverySchema)
@blueprint.raises(WebhookNotFound, WebhookNotActive)
def send_test_event(webhook_id: UUID) -> Delivery:
    """Send the event `webhook.tested` to this webhook alone."""
    return deliveries.send_test(webhook_id)


@blueprint.post("/<uuid:webhook_id>/rotate-secret")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.idempotent
@blueprint.response(200, IssuedWebhookSchema)
@blueprint.etag
@blueprint.raises(WebhookNotFound)
def rotate_webhook_secret(webhook_id: UUID) -> service.Issued:
    """Give the webhook a new secret. For 24 hours, the one before signs as well."""
    return service.rotate_secret(webhook_id)


@blueprint.get("/<uuid:webhook_id>/deliveries")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.page(DeliverySchema)
@blueprint.raises(WebhookNotFound)
def list_deliveries(query: dict[str, Any], webhook_id: UUID) -> Page[Delivery]:
    """List the deliveries of a webhook, newest first."""
    return deliveries.search(webhook_id, page_request(query), **query)


@blueprint.get("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.response(200, LoggedDeliverySchema)
@blueprint.raises(DeliveryNotFound)
def read_delivery(webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """Read a delivery with what was sent and what came back, attempt by attempt."""
    return deliveries.get(webhook_id, delivery_id)


@blueprint.post("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver")
@blueprint.allow(Permission.WEBHOOKS_MANAGE)
@blueprint.idempotent
@blueprint.response(202, DeliverySchema)
@blueprint.raises(WebhookNotFound, DeliveryNotFound, WebhookNotActive)
def redeliver(webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """Send the same event once more, with the same `webhook-id`."""
    return deliveries.redeliver(webhook_id, delivery_id)

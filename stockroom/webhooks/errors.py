from stockroom.core.errors import Conflict, NotFound


class WebhookNotFound(NotFound):
    """There is no such webhook."""

    slug = "webhook-not-found"
    title = "No such webhook"


class DeliveryNotFound(NotFound):
    """This webhook has no such delivery. Deliveries are removed together with their events."""

    slug = "delivery-not-found"
    title = "No such delivery"


class WebhookNotActive(Conflict):
    """Nothing is sent to a webhook that is switched off. Set ``is_active`` to true first; the
    field ``disabled_reason`` says why it was switched off.
    """

    slug = "webhook-not-active"
    title = "The webhook is switched off"

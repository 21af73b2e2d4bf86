"""``flask webhooks``: endpoints and their deliveries, from a terminal."""

from contextlib import closing
from uuid import UUID

import click
from click import argument, option

from stockroom.core.console import CommandGroup, json_option, load, print_table
from stockroom.core.pagination import every_item
from stockroom.webhooks import deliveries, service
from stockroom.webhooks.jobs import new_sender
from stockroom.webhooks.schemas import NewWebhookSchema
from stockroom.webhooks.sending.probe import send_now

webhooks_commands = CommandGroup("webhooks", help="Events sent to other servers.")


@webhooks_commands.command()
@argument("url")
@option("--events", default="*", show_default=True, help="Types, with commas between them.")
@option("--description", help="What it is for.")
def create(url: str, events: str, description: str | None) -> None:
    """Add an endpoint; prints its secret, this once.

    Example: flask webhooks create https://shop.example/hook --events 'product.*,user.created'
    """
    patterns = [pattern.strip() for pattern in events.split(",")]
    new = load(NewWebhookSchema(), url=url, events=patterns, description=description)
    issued = service.create(new)
    click.echo(f"Created {issued.id}. Its secret is shown this once:\n  {issued.secret}")


@webhooks_commands.command("list")
@json_option
def list_webhooks(*, as_json: bool) -> None:
    """List endpoints, newest first.

    Example: flask webhooks list
    """
    webhooks = every_item(lambda page: service.search({}, page))
    rows = (
        (it.id, it.url, ",".join(it.events), it.is_active, it.failing_since, it.disabled_reason)
        for it in webhooks
    )
    columns = ("id", "url", "events", "active", "failing since", "switched off")
    print_table(columns, rows, as_json=as_json)


@webhooks_commands.command("deliveries")
@argument("webhook_id", type=click.UUID)
@json_option
def list_deliveries(webhook_id: UUID, *, as_json: bool) -> None:
    """List the deliveries of an endpoint, newest first.

    Example: flask webhooks deliveries 0190163d-8694-739b-aea5-966c26f8ad91
    """
    found = every_item(lambda page: deliveries.search(webhook_id, page))
    rows = (
        (it.id, it.event.type, it.state.value, it.attempts, it.status, it.error, it.created_at)
        for it in found
    )
    columns = ("id", "event", "state", "attempts", "status", "error", "created at")
    print_table(columns, rows, as_json=as_json)


@webhooks_commands.command()
@argument("webhook_id", type=click.UUID)
def test(webhook_id: UUID) -> None:
    """Send a test event at once, and say what comes back.

    Example: flask webhooks test 0190163d-8694-739b-aea5-966c26f8ad91
    """
    with closing(new_sender()) as sender:
        result = send_now(webhook_id, sender)
    said = f"Answered {result.status}" if result.status else result.error
    if not result.is_success:
        raise click.ClickException(f"{said} ({result.milliseconds} ms)")
    click.echo(f"{said} ({result.milliseconds} ms).")


@webhooks_commands.command()
@argument("delivery_id", type=click.UUID)
def redeliver(delivery_id: UUID) -> None:
    """Send the event of a delivery once more.

    Example: flask webhooks redeliver 0190163d-8694-739b-aea5-966c26f8ad91
    """
    before = deliveries.find(delivery_id)
    again = deliveries.redeliver(before.webhook_id, before.id)
    click.echo(f"Delivery {again.id} is on its way.")

"""``flask mail``: whether mails leave, from a terminal."""

import click
from click import Choice, argument, option
from marshmallow import Schema

from stockroom.core.console import CommandGroup, json_option, load, print_table
from stockroom.core.fields import Email
from stockroom.mail import sending, service
from stockroom.mail.models import MailState

mail_commands = CommandGroup("mail", help="Mails that were sent, or wait.")

_ADDRESS = Schema.from_dict({"email": Email(required=True)})


@mail_commands.command("list")
@option("--state", type=Choice([state.value for state in MailState]))
@json_option
def list_mails(state: str | None, *, as_json: bool) -> None:
    """List the newest mails.

    Example: flask mail list --state failed
    """
    columns = ("created", "to", "template", "state", "attempts", "due", "error")
    rows = (
        (
            f"{mail.created_at:%Y-%m-%d %H:%M:%S}",
            mail.address,
            mail.template,
            mail.state.value,
            mail.attempts,
            f"{mail.due_at:%Y-%m-%d %H:%M:%S}" if mail.state is MailState.PENDING else None,
            mail.error,
        )
        for mail in service.newest(MailState(state) if state else None)
    )
    print_table(columns, rows, as_json=as_json)


@mail_commands.command("test")
@argument("email")
def send_test(email: str) -> None:
    """Send a mail to EMAIL at once, and say whether it was taken.

    Example: flask mail test you@example.com
    """
    address = load(_ADDRESS(), email=email)["email"]
    mail = sending.send_test(address)
    if mail.state is not MailState.SENT:
        later = "; it is tried again" if mail.state is MailState.PENDING else ""
        raise click.ClickException(f"{mail.error}{later}")
    click.echo(f"Sent to {address}.")

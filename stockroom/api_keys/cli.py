"""``flask api-keys``: the keys of machines, from a terminal."""

from uuid import UUID

import click
from click import argument

from stockroom.api_keys import service
from stockroom.core.console import CommandGroup, json_option, print_table
from stockroom.core.pagination import every_item
from stockroom.users import service as users

api_keys_commands = CommandGroup("api-keys", help="Keys with which machines call.")


@api_keys_commands.command("list")
@argument("email", required=False)
@json_option
def list_api_keys(email: str | None, *, as_json: bool) -> None:
    """List the keys of an account, or of all, newest first.

    Example: flask api-keys list ada@example.com
    """
    user_id = users.get_by_email(email).id if email else None
    found = every_item(lambda page: service.list_with_owners(page, user_id))
    rows = (
        (it.id, it.owner.email, it.name, it.prefix, ",".join(it.scopes),
         it.created_at, it.expires_at, it.last_used_at)
        for it in found
    )  # fmt: skip
    columns = (
        "id",
        "owner",
        "name",
        "prefix",
        "scopes",
        "created at",
        "expires at",
        "last used at",
    )
    print_table(columns, rows, as_json=as_json)


@api_keys_commands.command()
@argument("key_id", type=click.UUID)
def revoke(key_id: UUID) -> None:
    """Revoke a key, whoever owns it: it stops working at once.

    Example: flask api-keys revoke 0190163d-8694-739b-aea5-966c26f8ad91
    """
    key = service.revoke(key_id)
    click.echo(f"Revoked {key.name} ({key.prefix}…).")

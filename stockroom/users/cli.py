"""``flask users``: accounts, from a terminal."""

import click
from click import Choice, argument, option

from stockroom.core.console import CommandGroup, json_option, load, print_table, read_password
from stockroom.core.pagination import every_item
from stockroom.core.permissions import Role
from stockroom.users import service
from stockroom.users.schemas import NewUserSchema, UserQuery

users_commands = CommandGroup("users", help="Accounts and their roles.")

role_choice = Choice([role.value for role in Role])
stdin_option = option(
    "--password-stdin", is_flag=True, help="Read the password from the standard input."
)


@users_commands.command()
@argument("email")
@option("--role", type=role_choice, default=Role.CUSTOMER.value, show_default=True)
@option("--full-name", help="The name of the person.")
@stdin_option
def create(email: str, role: str, full_name: str | None, *, password_stdin: bool) -> None:
    """Create an account; asks for the password.

    Example: flask users create ada@example.com --role staff
    """
    password = read_password(from_stdin=password_stdin)
    new = load(NewUserSchema(), email=email, password=password, role=role, full_name=full_name)
    user = service.create(**new)
    click.echo(f"Created {user.email} ({user.role}).")


@users_commands.command("list")
@option("--q", help="Anywhere in the address or the name.")
@option("--role", type=role_choice)
@json_option
def list_users(q: str | None, role: str | None, *, as_json: bool) -> None:
    """List accounts, newest first.

    Example: flask users list --role admin
    """
    filters = load(UserQuery(only=["q", "role"]), q=q, role=role)
    users = every_item(lambda page: service.search(filters, page))
    rows = (
        (user.email, user.role.value, user.is_active, user.full_name, user.id) for user in users
    )
    print_table(("email", "role", "active", "name", "id"), rows, as_json=as_json)


@users_commands.command()
@argument("email")
@argument("role", type=role_choice)
def set_role(email: str, role: str) -> None:
    """Give an account another role.

    Example: flask users set-role ada@example.com admin
    """
    user = service.change(service.get_by_email(email).id, {"role": Role(role)})
    click.echo(f"{user.email} is {user.role} now.")


@users_commands.command()
@argument("email")
def activate(email: str) -> None:
    """Let an account log in again.

    Example: flask users activate ada@example.com
    """
    user = service.change(service.get_by_email(email).id, {"is_active": True})
    click.echo(f"{user.email} is active now.")


@users_commands.command()
@argument("email")
def deactivate(email: str) -> None:
    """Keep an account from logging in; its sessions stop working at once.

    Example: flask users deactivate ada@example.com
    """
    user = service.change(service.get_by_email(email).id, {"is_active": False})
    click.echo(f"{user.email} is not active now.")

"""``flask auth``; and commands on passwords and sessions, which join ``flask users``."""

import click
from click import argument, option

from stockroom.auth import service, sessions, signing, throttling
from stockroom.core.console import CommandGroup, json_option, load, print_table, read_password
from stockroom.users import service as users
from stockroom.users.cli import stdin_option, users_commands
from stockroom.users.schemas import NewUserSchema

auth_commands = CommandGroup("auth", help="The keys that sign tokens.")


@auth_commands.command("rotate-keys")
@option("--revoke", is_flag=True, help="Void all tokens at once: after a key has leaked.")
def rotate_keys(*, revoke: bool) -> None:
    """Let a new key sign tokens; the one before verifies until its tokens have run out.

    Example: flask auth rotate-keys
    """
    key = signing.rotate(revoke=revoke)
    if revoke:
        click.echo(
            f"Key {key.id.hex} signs; all others are void within {signing.RELOAD_SECONDS} s."
        )
    else:
        click.echo(f"Key {key.id.hex} signs in {signing.SETTLING_SECONDS} s; others still verify.")


@auth_commands.command("keys")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List the keys that sign tokens, or have signed them, newest first.

    Example: flask auth keys
    """
    rows = (
        (key.id.hex, key.created_at, key.retired_at, key.expires_at) for key in signing.list_keys()
    )
    columns = ("id", "created at", "retired at", "verifies until")
    print_table(columns, rows, as_json=as_json)


@users_commands.command()
@argument("email")
@stdin_option
def set_password(email: str, *, password_stdin: bool) -> None:
    """Give an account another password, and end all its sessions.

    Example: flask users set-password ada@example.com
    """
    user = users.get_by_email(email)
    password = read_password(from_stdin=password_stdin)
    checked = load(NewUserSchema(only=["password"]), password=password)
    service.set_password(user.id, checked["password"])
    click.echo(f"{user.email} has a new password; its sessions are ended.")


@users_commands.command()
@argument("email")
def reset_second_factor(email: str) -> None:
    """Switch the second factor of an account off, whose owner has lost it; ends its sessions.

    Example: flask users reset-second-factor ada@example.com
    """
    user = users.get_by_email(email)
    service.reset_second_factor(user.id)
    click.echo(f"{user.email} has no second factor any more; its sessions are ended.")


@users_commands.command()
@argument("email")
def unblock(email: str) -> None:
    """Forget the failed logins of an account: its next login is tried at once.

    Example: flask users unblock ada@example.com
    """
    user = users.get_by_email(email)
    throttling.unblock(user)
    click.echo(f"{user.email} may log in again at once.")


@users_commands.command()
@argument("email")
def end_sessions(email: str) -> None:
    """End all sessions of an account: its tokens stop working at once.

    Example: flask users end-sessions ada@example.com
    """
    user = users.get_by_email(email)
    count = sessions.end_all_sessions(user.id)
    click.echo(f"Ended {count} session{'' if count == 1 else 's'} of {user.email}.")

"""Commands on passwords and sessions, which join ``flask users``."""

import click
from click import argument

from stockroom.auth import service, sessions, throttling
from stockroom.core.console import load, read_password
from stockroom.users import service as users
from stockroom.users.cli import stdin_option, users_commands
from stockroom.users.schemas import NewUserSchema


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
def unblock(email: str) -> None:
    """Forget the failed logins of an account: its next login is tried at once.

    Example: flask users unblock ada@example.com
    """
    user = users.get_by_email(email)
    throttling.unblock(user.email)
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

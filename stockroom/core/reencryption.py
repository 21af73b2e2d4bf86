"""``flask secrets``: what is encrypted, under the newest of the keys."""

from collections.abc import Callable, Mapping

import click

from stockroom.core.console import CommandGroup
from stockroom.core.context import belongings
from stockroom.core.encryption import Undecipherable

_KEY = "stockroom.reencrypt"

Reencrypt = Callable[[], int]
"""Encrypts all that a feature keeps with the first of the keys; returns how many secrets."""

secrets_commands = CommandGroup("secrets", help="What is kept encrypted.")


def bind_reencryption(extensions: dict[str, object], of_features: Mapping[str, Reencrypt]) -> None:
    extensions[_KEY] = dict(of_features)


@secrets_commands.command()
def reencrypt() -> None:
    """Encrypt all secrets with the first of ENCRYPTION_KEYS, so that the others can go.

    Example: flask secrets reencrypt
    """
    bound: dict[str, Reencrypt] = belongings()[_KEY]
    for name, renew in bound.items():
        try:
            click.echo(f"{name}: {renew()}")
        except Undecipherable as error:
            raise click.ClickException(f"{name}: {error}") from None

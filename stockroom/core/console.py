"""What commands share: plain errors, tables, passwords from a pipe."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from errno import EPIPE
from typing import Any

import click
from flask.cli import AppGroup
from marshmallow import Schema, ValidationError
from psycopg2 import errorcodes
from sqlalchemy.exc import ProgrammingError

from stockroom.core.errors import DomainError, in_one_line
from stockroom.embedded.errors import EmbeddedServerError

_OLDER_SCHEMA = {errorcodes.UNDEFINED_TABLE, errorcodes.UNDEFINED_COLUMN}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class CommandGroup(AppGroup):
    """Commands that say in one line what went wrong, and then exit with status 1."""

    def invoke(self, context: click.Context) -> Any:
        with plain_errors():
            return super().invoke(context)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what went wrong as click says it, without a trace."""
    try:
        yield
    except DomainError as error:
        reasons = in_one_line(error.extensions.get("errors", {}))
        raise click.ClickException(reasons or error.detail) from None
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) not in _OLDER_SCHEMA:
            raise
        raise click.ClickException("The schema is an older one: run `flask db upgrade`.") from None
    except EmbeddedServerError as error:
        raise click.ClickException(str(error)) from None
    except UnicodeEncodeError as error:
        # Arguments need not be text: bytes that are none come as surrogates, which nothing encodes.
        raise click.ClickException(f"{error.object!a} is not {error.encoding} text.") from None
    except OSError as error:
        # A pipe whose reader has had enough is no error; click ends quietly then.
        if error.errno == EPIPE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror}") from None


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool) -> None:
    """Rows under their column names, or as a JSON array of objects."""
    if as_json:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        click.echo(json.dumps(objects, indent=2, default=str, ensure_ascii=False))
        return
    lines = [tuple(map(_cell, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    for line in (columns, *lines):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def load(schema: Schema, **values: Any) -> Any:
    """Values of a command, checked by the schema that the API checks them with.

    :raises ClickException: naming what is wrong with each.
    """
    try:
        return schema.load({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise click.ClickException(in_one_line(error.messages_dict)) from None


def read_password(*, from_stdin: bool) -> str:
    """A password, asked for twice on a terminal, or the first line of the standard input.

    :raises ClickException: if the standard input is not text in the terminal's encoding.
    """
    if from_stdin:
        try:
            return sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise click.ClickException(f"The password is not {error.encoding} text.") from None
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _cell(value: Any) -> str:
    return "" if value is None else str(value)

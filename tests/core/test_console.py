"""What went wrong with a command, in one line."""

import errno
import os

import click
import pytest

from stockroom.core.console import plain_errors
from stockroom.core.errors import InvalidInput, NotFound
from stockroom.embedded.errors import EmbeddedServerError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotFound("Nobody has the address."), "Nobody has the address."),
        (InvalidInput({"price": ["Not a price."]}), "price: Not a price."),
        (EmbeddedServerError("No PostgreSQL was found."), "No PostgreSQL was found."),
        (UnicodeEncodeError("utf-8", "MUG\udcff", 3, 4, "no"), r"'MUG\udcff' is not utf-8 text."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.csv"), "a.csv: No such file"),
    ],
)
def test_an_error_is_one_line(error: Exception, line: str) -> None:
    with pytest.raises(click.ClickException) as caught, plain_errors():
        raise error
    assert caught.value.message == line


def test_a_reader_who_has_had_enough_is_no_error() -> None:
    with pytest.raises(BrokenPipeError), plain_errors():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

"""PostgreSQL's programs are found, of the right version, or asked for."""

from pathlib import Path

import pytest

from stockroom.embedded.binaries import OLDEST_MAJOR, Binaries, choose, find
from stockroom.embedded.errors import EmbeddedServerError

OLD = Binaries(Path("/old"), "14.9")
NEW = Binaries(Path("/new"), "16.14")
NEWER = Binaries(Path("/newer"), "18.1")


def test_this_machine_has_usable_programs() -> None:
    assert find().major >= OLDEST_MAJOR


def test_the_first_that_is_new_enough_is_taken() -> None:
    assert choose([OLD, NEW, NEWER], None) == NEW


def test_data_get_the_programs_of_their_version() -> None:
    assert choose([OLD, NEW, NEWER], 18) == NEWER


def test_no_programs_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(EmbeddedServerError, match=r"set DATABASE_URL .* or install"):
        choose([OLD], None)


def test_no_programs_for_the_data_is_an_error_that_names_the_version() -> None:
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 17, which is not installed"):
        choose([NEW, NEWER], 17)

"""Rows that ask for archiving what is not there."""

from pathlib import Path

import pytest
from flask import Flask

from tests.transfers.commands import HEADER, counts, import_text


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("NEVER-1,x,1,JPY,archived", {"unchanged": 1}),
        ("NEVER-1,x,1.5,JPY,archived", {"rejected": 1}),
        ("NEVER-1,x,1.505,,archived", {"rejected": 1}),
    ],
)
def test_a_row_that_archives_nothing_is_checked_all_the_same(
    app: Flask, tmp_path: Path, row: str, told: dict[str, int]
) -> None:
    result = import_text(app, tmp_path, f"{HEADER},currency,status\n{row}\n", "--json")
    assert counts(result) == told
    assert result.stderr.startswith("line 2: price: ") == ("rejected" in told)

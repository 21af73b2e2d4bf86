"""What ``docs/security.md`` claims can be looked up: its tests, its files, all requirements."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)))
FILES = sorted(set(re.findall(r"`((?:stockroom|docs|bench|tests)/[\w/.-]+\.\w+)`", PAGE)))
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([123]) \| (.*) \|$", PAGE, re.MULTILINE)
# How many requirements each section of ASVS 5.0.0 has, in the chapters that the page goes through.
REQUIREMENTS = {
    "2.1": 3, "2.2": 3, "2.3": 5, "2.4": 2,
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
    "8.1": 4, "8.2": 4, "8.3": 3, "8.4": 2,
    "11.1": 4, "11.2": 5, "11.3": 5, "11.4": 4, "11.5": 2, "11.6": 2, "11.7": 2,
    "14.1": 2, "14.2": 8, "14.3": 3,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 4,
}  # fmt: skip


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_exists(file: str) -> None:
    assert (ROOT / file).is_file()


def test_every_requirement_has_one_row() -> None:
    expected = {
        f"{section}.{n}" for section, most in REQUIREMENTS.items() for n in range(1, most + 1)
    }
    assert Counter(number for number, _, _ in ROWS) == Counter(expected)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_a_test_or_says_what_is_missing(row: tuple[str, str, str]) -> None:
    last = row[2].rpartition(" | ")[2]
    assert "`tests/" in last or "**Gap**" in last or "not applicable: " in last

"""What ``docs/security.md`` claims can be looked up: its tests, its files, all requirements."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# Whatever begins like the name of a test or a file, so that a mistyped one is noticed as well.
TESTS = sorted(set(re.findall(r"`(tests/[^`]*::[^`]*)`", PAGE)))
FILES = sorted(set(re.findall(r"`((?:stockroom|docs|bench|tests)/[^`:]*)`", PAGE)))
LINKS = sorted(set(re.findall(r"\]\(([^):#]+)", PAGE)))
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.*) \|$", PAGE, re.MULTILINE)
# The level of each requirement that a section of ASVS 5.0.0 has, in the order of their numbers.
REQUIREMENTS = {
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
}  # fmt: skip


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_exists(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / "docs" / link).is_file()


def test_every_requirement_has_one_row_with_its_level() -> None:
    expected = [
        (f"{section}.{number}", level)
        for section, levels in REQUIREMENTS.items()
        for number, level in enumerate(levels, start=1)
    ]
    assert Counter((number, level) for number, level, _ in ROWS) == Counter(expected)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_a_test_or_says_what_is_missing(row: tuple[str, str, str]) -> None:
    asked, _done, shown = row[2].split(" | ")
    assert asked
    assert re.search(r"`tests/|\*\*Gap\*\*: \S|^not applicable: \w", shown)


def test_a_gap_is_said_where_it_is_looked_for() -> None:
    """In the last column: who searches it for what is missing must find all of it."""
    assert not [number for number, _, text in ROWS if "Gap" in text.rpartition(" | ")[0]]

"""The form of a key: random, checked, and of one alphabet."""

import re
from pathlib import Path
from zlib import crc32

import pytest

from stockroom.api_keys import keys
from stockroom.config import ROOT

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GUIDE = Path(ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def test_a_key_is_of_the_form_that_the_guide_gives_to_scanners() -> None:
    (pattern,) = re.findall(r"^\s+(\\bsr_.+)$", GUIDE, re.MULTILINE)
    assert all(re.fullmatch(pattern, keys.new_key()) for _ in range(100))


def test_the_checksum_is_the_crc_32_of_what_stands_before_it_in_base_62() -> None:
    key = keys.new_key()
    number = 0
    for digit in key[-6:]:
        number = number * 62 + ALPHABET.index(digit)
    assert number == crc32(key[:-6].encode())


def test_the_random_part_holds_256_bits() -> None:
    assert 62**43 > 2**256 > 62**42
    assert len({keys.new_key() for _ in range(1000)}) == 1000


def test_the_example_of_the_guide_is_well_formed() -> None:
    examples = re.findall(r"\bsr_[0-9A-Za-z]{49}\b", GUIDE)
    assert examples
    assert all(map(keys.is_well_formed, examples))


@pytest.mark.parametrize("place", range(3, 52, 6))
def test_a_mistyped_character_is_noticed(place: int) -> None:
    key = keys.new_key()
    other = "a" if key[place] != "a" else "b"
    assert not keys.is_well_formed(key[:place] + other + key[place + 1 :])


@pytest.mark.parametrize(
    "change",
    [str.swapcase, str.lower, lambda key: key[:-1], lambda key: key[1:], lambda key: key + "0",
     lambda key: f" {key}", lambda key: f"{key}\n", lambda key: key.replace("sr_", "sr-"),
     lambda key: f"{key},{key}", lambda key: key[:-1] + "é", lambda _: "", lambda _: "sr_"],
)  # fmt: skip
def test_what_is_not_whole_is_no_key(change: object) -> None:
    assert callable(change)
    assert not keys.is_well_formed(change(keys.new_key()))

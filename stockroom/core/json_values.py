"""JSON values: read strictly and bounded in depth; compared and measured as JSON, not as Python."""

import json
import re
from decimal import Decimal
from math import isinf
from typing import Any, NoReturn

# Python itself converts no more than 4,300 (sys.set_int_max_str_digits).
MOST_DIGITS = 4000
_EXPONENT = re.compile("[0-9]e[+-][0-9]")


class NestedTooDeep(ValueError):
    """Arrays and objects stand in each other deeper than is allowed."""


def parse(text: str, most_levels: int) -> Any:
    """The JSON value in ``text`` (RFC 8259).

    :raises NestedTooDeep: beyond so many levels.
    :raises ValueError: if it is not JSON, or holds a number too large to work with.
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise NestedTooDeep("nested too deep") from None
    if _is_deeper(value, most_levels):
        raise NestedTooDeep(f"nested deeper than {most_levels} levels")
    return value


def is_same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON value: 1 is 1.0 and is not true.

    1e20 is the same as the integer that PostgreSQL gives back for it.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if _is_number(one) and _is_number(other):
        return Decimal(repr(one)) == Decimal(repr(other))
    return type(one) is type(other) and bool(one == other)


def fits(text: str, most_bytes: int) -> bool:
    """Whether compact JSON text has at most so many bytes, and still has when PostgreSQL gives it
    back: of 1e+300 it writes every digit.
    """
    room = most_bytes - len(text.encode())
    floats: list[str] = []
    if room >= 0 and re.search(_EXPONENT, text):
        json.loads(text, parse_float=floats.append)
    return sum(len(f"{Decimal(it):f}") - len(it) for it in floats) <= room


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    if isinf(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _bounded(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether ``value`` nests deeper; level by level, as recursion would be bounded itself."""
    layer = [value]
    for _ in range(levels):
        layer = [child for parent in layer for child in _children(parent)]
        if not layer:
            return False
    return True


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


# Made once: that costs more than what most texts need.
_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded
)

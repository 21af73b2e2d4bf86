"""The ring: the newest events, in bounds of number and bytes."""

import pytest

from stockroom.stream.ring import Line, Ring


def lines(first: int, last: int, text: str = "{}") -> list[Line]:
    return [Line(position, "product.created", text) for position in range(first, last + 1)]


def filled(*, lines_kept: int = 10, bytes_kept: int = 1000) -> Ring:
    """Begun after position 5, with 6 to 9 in it."""
    ring = Ring(lines_kept, bytes_kept)
    ring.begin(5)
    ring.add(lines(6, 9))
    return ring


@pytest.mark.parametrize(("position", "first"), [(5, 6), (7, 8), (8, 9), (9, None), (12, None)])
def test_it_gives_what_comes_after_a_position(position: int, first: int | None) -> None:
    found = filled().after(position)
    assert found == (lines(first, 9) if first else ()), "or nothing, where all is known"


def test_what_lies_before_it_has_to_be_read_elsewhere() -> None:
    assert filled().after(4) is None


def test_before_it_begins_nobody_gets_anything() -> None:
    assert Ring().after(0) == ()


def test_the_oldest_make_room_by_number() -> None:
    ring = filled(lines_kept=3)
    assert ring.after(5) is None
    assert ring.after(6) == lines(7, 9)


def test_the_oldest_make_room_by_bytes() -> None:
    ring = filled(bytes_kept=5)
    assert ring.after(6) is None
    assert ring.after(7) == lines(8, 9)


def test_an_event_that_is_larger_than_the_ring_is_read_elsewhere() -> None:
    ring = filled()
    ring.add(lines(10, 10, "x" * 2000))
    assert ring.after(9) is None
    assert ring.after(10) == ()

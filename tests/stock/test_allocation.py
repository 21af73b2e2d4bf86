"""From where an order is served, and what it lacks."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from stockroom.stock.allocation import Wish, allocate, shared_out, shortages
from stockroom.stock.values import Key

A, B = UUID(int=1), UUID(int=2)
PRODUCTS = st.sampled_from([A, B])
PLACES = st.sampled_from(["main", "annex", "shop"])
WISHES = st.dictionaries(st.tuples(PRODUCTS, st.none() | PLACES), st.integers(1, 6), min_size=1)
STOCK = st.dictionaries(st.tuples(PRODUCTS, PLACES), st.integers(0, 6))


def test_main_comes_before_another_place_that_could_serve_as_well() -> None:
    assert allocate({(A, None): 2}, {(A, "annex"): 9, (A, "main"): 2}) == {(A, "main"): 2}


def test_the_place_that_serves_most_pieces_is_emptied_first() -> None:
    free = {(A, "main"): 1, (A, "annex"): 2, (B, "annex"): 1, (B, "shop"): 3}
    assert allocate({(A, None): 3, (B, None): 3}, free) == {
        (A, "annex"): 2,
        (B, "annex"): 1,
        (A, "main"): 1,
        (B, "shop"): 2,
    }


def test_what_is_kept_for_a_named_place_is_not_taken_by_others() -> None:
    wanted: dict[Wish, int] = {(A, None): 1, (A, "main"): 2}
    free = {(A, "main"): 2}
    assert shortages(wanted, free) == {(A, None): 0}
    assert allocate(wanted, free) == {(A, "main"): 2}


@given(WISHES, STOCK)
def test_an_order_without_shortages_is_served_whole_from_what_there_is(
    wanted: dict[Wish, int], free: dict[Key, int]
) -> None:
    taken, short = allocate(wanted, free), shortages(wanted, free)
    assert all(0 < pieces <= free[key] for key, pieces in taken.items())
    for product in (A, B):
        asked = sum(pieces for (it, _), pieces in wanted.items() if it == product)
        given_out = sum(pieces for (it, _), pieces in taken.items() if it == product)
        assert given_out <= asked
        if not any(it == product for it, _ in short):
            assert given_out == asked
    for (product, place), pieces in wanted.items():
        if place and (product, place) not in short:
            assert taken[product, place] >= pieces


@given(st.lists(st.tuples(st.tuples(PRODUCTS, st.none() | PLACES), st.integers(1, 6))), STOCK)
def test_each_line_is_served_whole_from_what_was_taken_for_all(
    lines: list[tuple[Wish, int]], free: dict[Key, int]
) -> None:
    wanted = Counter[Wish]()
    for wish, pieces in lines:
        wanted[wish] += pieces
    if shortages(wanted, free):
        return
    taken = allocate(wanted, free)
    shares = list(shared_out(lines, taken))
    for ((product, place), pieces), parts in zip(lines, shares, strict=True):
        assert sum(n for _, n in parts) == pieces
        assert all(key[0] == product and place in {None, key[1]} for key, _ in parts)
    total = Counter[Key]()
    for key, pieces in (part for parts in shares for part in parts):
        total[key] += pieces
    assert total == taken


@given(WISHES, STOCK)
def test_an_order_that_one_place_can_serve_comes_from_one_place(
    wanted: dict[Wish, int], free: dict[Key, int]
) -> None:
    anywhere = {wish: pieces for wish, pieces in wanted.items() if wish[1] is None}
    places = {place for _, place in free}
    can_serve_all = [
        place
        for place in places
        if all(free.get((it, place), 0) >= pieces for (it, _), pieces in anywhere.items())
    ]
    if anywhere and can_serve_all:
        assert len({place for _, place in allocate(anywhere, free)}) == 1

"""From which locations an order is served: from one that can serve it whole, else from several."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from stockroom.stock.models import MAIN
from stockroom.stock.values import Key, keys_by_product

Wish = tuple[UUID, str | None]
"""A product, and the location that it has to come from, None for any."""

Part = tuple[Key, int]
"""Pieces that come from one level."""


def allocate(wanted: Mapping[Wish, int], available: Mapping[Key, int]) -> dict[Key, int]:
    """How many pieces are taken from each level.

    What names its location is served first. For the rest a location is looked for that can serve
    all of it, ``main`` before the others; where there is none, it is split so that each parcel
    holds as much as it can. What nobody can serve is left out.
    """
    free, taken = dict(available), dict[Key, int]()
    anywhere = dict[UUID, int]()
    for (product_id, location), quantity in wanted.items():
        if location is None:
            anywhere[product_id] = quantity
        else:
            _take(free, taken, (product_id, location), quantity)
    while anywhere and (location := _best(anywhere, free)) is not None:
        for product_id, quantity in list(anywhere.items()):
            anywhere[product_id] -= _take(free, taken, (product_id, location), quantity)
        anywhere = {product_id: rest for product_id, rest in anywhere.items() if rest}
    return taken


def shortages(wanted: Mapping[Wish, int], available: Mapping[Key, int]) -> dict[Wish, int]:
    """The wishes that cannot be served, each with the pieces that there are for it."""
    free, short = dict(available), dict[Wish, int]()
    keys = keys_by_product(available)
    for (product_id, location), quantity in sorted(wanted.items(), key=_named_first):
        if location is not None:
            here = free.get((product_id, location), 0)
            if here:
                free[product_id, location] = max(0, here - quantity)
        else:
            here = sum(free[key] for key in keys[product_id])
        if here < quantity:
            short[product_id, location] = here
    return short


def shared_out(lines: Sequence[tuple[Wish, int]], taken: Mapping[Key, int]) -> Iterator[list[Part]]:
    """From where each line is served, given what is taken for all of them together."""
    left, keys = dict(taken), keys_by_product(taken)
    for (product_id, location), quantity in lines:
        if location is not None:
            left[product_id, location] -= quantity
    for (product_id, location), quantity in lines:
        if location is not None:
            yield [((product_id, location), quantity)]
        else:
            yield list(_drawn(left, keys[product_id], quantity))


def _drawn(left: dict[Key, int], keys: Sequence[Key], quantity: int) -> Iterator[Part]:
    for key in keys:
        pieces = min(quantity, left[key])
        left[key] -= pieces
        quantity -= pieces
        if pieces:
            yield key, pieces


def _best(anywhere: Mapping[UUID, int], free: Mapping[Key, int]) -> str | None:
    """The location that serves most pieces; None if none serves any."""

    def served(location: str) -> int:
        return sum(min(n, free.get((it, location), 0)) for it, n in anywhere.items())

    candidates = _in_order({location for _, location in free})
    best = max(candidates, key=served, default=None)
    return best if best is not None and served(best) else None


def _in_order(locations: Collection[str]) -> list[str]:
    # max() takes the first of equals.
    return sorted(locations, key=lambda location: (location != MAIN, location))


def _take(free: dict[Key, int], taken: dict[Key, int], key: Key, quantity: int) -> int:
    pieces = min(quantity, free.get(key, 0))
    if pieces:
        free[key] -= pieces
        taken[key] = taken.get(key, 0) + pieces
    return pieces


def _named_first(wish: tuple[Wish, int]) -> bool:
    return wish[0][1] is None

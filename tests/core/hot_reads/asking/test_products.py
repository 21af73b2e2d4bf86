"""Who asks for a product or a page together with others gets what it would get alone."""

from uuid import UUID

import pytest
from flask import Flask

from stockroom.core.database import new_id, table_of
from stockroom.core.hot_reads.asking import Asker
from stockroom.core.hot_reads.representation import Representation
from stockroom.core.pagination import PageRequest
from stockroom.core.sql.question import Question
from stockroom.products import representations, service
from stockroom.products.conditions import INDEXED_SORTS, keyset
from stockroom.products.models import Product
from tests.core.hot_reads.asking.loops import Loop, told
from tests.factories.products import make_product

SORTS = [f"{sign}{name}" for name in INDEXED_SORTS for sign in ("", "-")]

Asked = Question[Representation]


@pytest.fixture
def catalogue(app: Flask) -> list[Product]:
    """Each name and each price is that of two products."""
    return [
        make_product(app, stock=number, name=f"Lamp {number // 2}", price=f"{number // 2}.5")
        for number in range(12)
    ]


def together(asker: Asker, loop: Loop, asked: list[Asked]) -> list[Representation]:
    (query,) = {question.query() for question in asked}
    assert query.together
    return told(asker, loop, *asked)


def page(sort: str, cursor: str | None) -> Asked:
    return service.ask_for_page({}, PageRequest(2, cursor), sort, to_staff=False)


def pages(sort: str) -> list[Asked]:
    """All but the first, which has no values."""
    found, cursor = [], page(sort, None).answer().next_cursor
    while cursor:
        found.append(page(sort, cursor))
        cursor = found[-1].answer().next_cursor
    return found


def test_products(asker: Asker, loop: Loop, catalogue: list[Product]) -> None:
    asked = [representations.of_id(it.id, to_staff=False) for it in catalogue]
    assert together(asker, loop, asked) == [question.answer() for question in asked]
    asked = [representations.of_sku(it.sku.lower(), to_staff=False) for it in catalogue]
    assert together(asker, loop, asked) == [question.answer() for question in asked]


def test_products_that_are_not_there(asker: Asker, loop: Loop, catalogue: list[Product]) -> None:
    ids: list[UUID] = [new_id(), catalogue[0].id, new_id()]
    found = together(asker, loop, [representations.of_id(it, to_staff=False) for it in ids])
    assert [it is None for it in found] == [True, False, True]


@pytest.mark.parametrize("sort", SORTS)
def test_pages(sort: str, asker: Asker, loop: Loop, catalogue: list[Product]) -> None:
    asked = pages(sort)
    assert len(asked) == len(catalogue) // 2 - 1
    assert together(asker, loop, asked) == [question.answer() for question in asked]


@pytest.mark.parametrize("sort", INDEXED_SORTS)
def test_an_index_gives_pages_that_are_asked_for_together(sort: str) -> None:
    first = keyset(sort).keys[0]
    table = table_of(Product)
    assert first.key in {"id"} | {index.expressions[0].key for index in table.indexes}

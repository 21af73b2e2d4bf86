"""Walking all pages while another client creates and archives products."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Event
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.api import Api
from tests.factories.products import make_product, product_body
from tests.products.walking import walk
from tests.threads import PATIENCE_SECONDS, until

LASTING = 60
PASSING = 20


@pytest.fixture
def busy_shop(app: Flask, staff: Api) -> Iterator[Callable[[], int]]:
    """A catalogue that another client keeps writing to; tells how much it has written."""
    for number in range(LASTING):
        make_product(app, sku=f"LASTS-{number}", name=f"Mug {number % 7}", price=number % 5)
    passing = [make_product(app, sku=f"PASSES-{n}", name=f"Mug {n % 7}") for n in range(PASSING)]
    written, is_over = Counter[str](), Event()

    def write() -> None:
        doomed = iter(passing)
        for number in cycle(range(7)):
            if is_over.is_set():
                return
            body = product_body(sku=f"NEW-{written.total()}", name=f"Mug {number}", price=number)
            created = staff.post("/products", json=body)
            written[str(created.status_code)] += 1
            if number % 2:
                staff.delete(created.headers["Location"], if_match="*")
            elif product := next(doomed, None):
                staff.delete(f"/products/{product.id}", if_match="*")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        yield written.total
        is_over.set()
        writing.result(PATIENCE_SECONDS)
    assert set(written) == {"201"}


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "created_at"},
        {"sort": "-created_at"},
        {"sort": "name"},
        {"sort": "-price"},
        {"sort": "sku"},
        {"sort": "-sku"},
        {"sort": "updated_at"},
        {"sort": "-updated_at"},
        {"q": "mug"},
    ],
)
def test_what_was_there_all_the_time_is_seen_exactly_once(
    busy_shop: Callable[[], int], nobody: Api, query: dict[str, str]
) -> None:
    path = f"/products?{urlencode({**query, 'limit': 4})}"
    seen = Counter[str]()

    def was_written_meanwhile() -> bool:
        before = busy_shop()
        seen.clear()
        seen.update(walk(nobody, path))
        return busy_shop() > before

    until(was_written_meanwhile)
    assert {seen[f"LASTS-{number}"] for number in range(LASTING)} == {1}
    assert max(seen.values()) == 1

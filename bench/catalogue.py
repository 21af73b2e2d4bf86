"""A catalogue of real size: the same products each time, with words as frequent as in English."""

import csv
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import StringIO
from itertools import accumulate
from random import Random
from typing import Any

import psycopg2
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from stockroom.core.database import new_id, now
from stockroom.embedded.conf import SUPERUSER

PART = 5_000
"""Products that are made and loaded at once."""
LOADERS = 2
PIECES = 1_000_000
SEED = 2026
COLOURS = ("black", "white", "blue", "green", "red", "sand", "grey", "yellow")
COLUMNS = (
    *("id", "version", "created_at", "updated_at", "sku", "name", "description"),
    *("price", "currency", "family", "options", "attributes", "status"),
)

# In a name, what every text has says nothing, and so does what hardly anybody knows.
_NAME_RANKS = (300, 8_000)
_ALL_RANKS = (1, 30_000)
_NAME_WORDS = (3, 6)
_SENTENCES = 20_000
_SENTENCE_WORDS = (8, 28)
_DESCRIPTION_SENTENCES = (7, 14)


def load(address: str, count: int) -> None:
    """Add products, each with pieces at the main location, to what is in the database.

    :param count: a multiple of 5,000.
    """
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM products")
        (first,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT pg_get_indexdef('ix_products_search'::regclass)")
        (index,) = cursor.fetchone() or ("",)
        # Filled row by row, it would take longer than all the rest.
        cursor.execute("DROP INDEX ix_products_search")
    with ThreadPoolExecutor(LOADERS) as loaders:
        parts = range(first, first + count, PART)
        list(loaders.map(lambda number: _copy(address, number), parts))
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(index)
        cursor.execute(
            "INSERT INTO stock_levels (product_id, location, on_hand, reserved)"
            " SELECT id, 'main', %s, 0 FROM products ON CONFLICT DO NOTHING",
            [PIECES],
        )
    settled = psycopg2.connect(address, user=SUPERUSER)
    settled.autocommit = True
    settled.cursor().execute("VACUUM ANALYZE")
    # Otherwise the server would write for minutes while it is measured.
    settled.cursor().execute("CHECKPOINT")
    settled.close()


def _copy(address: str, first: int) -> None:
    file = StringIO()
    csv.writer(file).writerows(_rows(first))
    file.seek(0)
    statement = f"COPY products ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)"
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.copy_expert(statement, file)


def _rows(first: int) -> Iterator[Sequence[Any]]:
    for number, product in enumerate(products(first, PART), first):
        moment = now()
        yield (
            *(new_id(), 1, moment, moment, f"BENCH-{number:07d}", product["name"]),
            *(product["description"], product["price"], "EUR", product["family"]),
            *(json.dumps(product["options"]), json.dumps(product["attributes"]), "active"),
        )


def products(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Products as a client writes them, but for their SKU: some 2 KB of JSON each."""
    chance = Random(SEED + first)  # noqa: S311 - no secret
    sentences = _sentences()
    for number in range(first, first + count):
        pieces = chance.choices(sentences, k=chance.randint(*_DESCRIPTION_SENTENCES))
        yield {
            "name": _text(chance, _NAME_RANKS, _NAME_WORDS).title(),
            "description": " ".join(pieces),
            "price": f"{chance.randint(99, 99_999) / 100:.2f}",
            "family": f"FAMILY-{number // 4}",
            "options": {"colour": chance.choice(COLOURS), "size": str(chance.randint(34, 48))},
            "attributes": {
                "weight_g": chance.randint(20, 9_000),
                "maker": _text(chance, _NAME_RANKS, (1, 2)).title(),
                "dishwasher_safe": chance.random() < 1 / 2,
            },
        }


@cache
def _sentences() -> list[str]:
    chance = Random(SEED)  # noqa: S311 - no secret
    return [
        _text(chance, _ALL_RANKS, _SENTENCE_WORDS).capitalize() + "." for _ in range(_SENTENCES)
    ]


def _text(chance: Random, ranks: tuple[int, int], lengths: tuple[int, int]) -> str:
    words, weights = _words(*ranks)
    return " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(*lengths)))


@cache
def _words(first: int, last: int) -> tuple[list[str], list[float]]:
    """Words of these ranks, and how much more likely each makes it that one of them comes.

    The words of English texts come with zxcvbn, the most frequent first. After Zipf, a word is as
    likely as one by its rank.
    """
    words: list[str] = FREQUENCY_LISTS["english_wikipedia"][first - 1 : last]
    return words, list(accumulate(1 / rank for rank in range(first, first + len(words))))

"""How long an import of new products takes, against a bare COPY of the same rows.

    python -m bench.imports [--rows 50000] [--rounds 3] [--stock]

Both go into the same table with the same indexes, empty each time, in turns; the import is a
process of its own, which reads the file from the disk, checks every row, and writes an event for
each. Exit status 1 if the median takes longer than 1.6 times that of COPY, or if the process needs
200 MB or more; with a million rows, too. With ``--stock`` every row has a count to be booked as
well, which COPY does not do: then only the memory is judged.
"""

import argparse
import csv
import json
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from flask import Flask
from sqlalchemy import text

from bench.latency import site
from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.database import new_id
from stockroom.extensions import db
from stockroom.products.batch import Result
from stockroom.transfers.formats import Format
from stockroom.transfers.imports import import_file
from stockroom.transfers.product_rows import ProductRows

BOUND = 1.6
BOUND_MB = 200
COLUMNS = ("sku", "name", "description", "price", "currency", "family", "options", "attributes")
SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "en", "er", "i", "o")]

# A new process of its own: a fork would share the connections of this one, and its memory.
processes = get_context("spawn")


def main() -> int:
    arguments = _arguments()
    with site(with_redis=False, serve=False) as settings:
        app, home = create_app(settings), settings.instance_path
        file, bare_file = home / "products.csv", home / "bare.csv"
        _write_files(file, bare_file, arguments.rows, with_stock=arguments.stock)
        bare, ours, peaks = [], [], []
        for number in range(arguments.rounds):
            bare.append(_copied(app, bare_file))
            seconds, peak = _imported(app, settings, file, arguments.rows)
            ours.append(seconds)
            peaks.append(peak)
            print(
                f"round {number + 1}  COPY {bare[-1]:7.2f} s   import {seconds:7.2f} s", flush=True
            )
    return _report(median(bare), median(ours), max(peaks), arguments)


def _report(bare: float, ours: float, peak: float, arguments: argparse.Namespace) -> int:
    ratio = ours / bare
    is_quick, is_small = arguments.stock or ratio <= BOUND, peak < BOUND_MB
    print(f"{arguments.rows:,} rows, medians of {arguments.rounds}")
    print(f"COPY     {bare:8.2f} s  {arguments.rows / bare:8.0f} rows a second")
    print(f"import   {ours:8.2f} s  {arguments.rows / ours:8.0f} rows a second")
    print(f"ratio    {ratio:8.2f} (bound {BOUND}): {'holds' if is_quick else 'MISSED'}")
    print(f"peak     {peak:8.0f} MB (bound {BOUND_MB}): {'holds' if is_small else 'MISSED'}")
    return 0 if is_quick and is_small else 1


def _copied(app: Flask, file: Path) -> float:
    """Seconds that COPY takes, with its commit."""
    names = ",".join((*COLUMNS, "id", "status", "version", "created_at", "updated_at"))
    _empty(app)
    with app.app_context(), file.open(encoding="utf-8", newline="") as lines:
        connection = db.engine.raw_connection()
        begin = perf_counter()
        connection.cursor().copy_expert(f"COPY products ({names}) FROM STDIN (FORMAT csv)", lines)
        connection.commit()
        seconds = perf_counter() - begin
        connection.close()
    return seconds


def _imported(app: Flask, settings: Settings, file: Path, rows: int) -> tuple[float, float]:
    """Seconds that the import takes, and the most memory of its process, in MB."""
    _empty(app)
    with processes.Pool(1) as pool:
        seconds, peak, created = pool.apply(_import, (settings, file))
    assert created == rows, f"{created} of {rows} rows became products"
    return seconds, peak


def _import(settings: Settings, file: Path) -> tuple[float, float, int]:
    app = create_app(settings)
    with app.app_context(), file.open("rb") as lines:
        begin = perf_counter()
        summary = import_file(lines, Format.CSV, ProductRows("bench"))
        seconds = perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, peak, summary.counts[Result.CREATED]


def _empty(app: Flask) -> None:
    # By TRUNCATE, which leaves nothing in the indexes; the ledger has to be told to let it.
    statements = (
        "ALTER TABLE stock_movements DISABLE TRIGGER USER",
        "TRUNCATE products, events CASCADE",
        "ALTER TABLE stock_movements ENABLE TRIGGER USER",
    )
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _write_files(file: Path, bare_file: Path, rows: int, *, with_stock: bool) -> None:
    """The file to be imported, and the same rows as COPY has to have them."""
    moment = datetime.now(UTC).isoformat()
    with (
        file.open("w", encoding="utf-8", newline="") as lines,
        bare_file.open("w", encoding="utf-8", newline="") as bare_lines,
    ):
        writer, bare = csv.writer(lines), csv.writer(bare_lines)
        writer.writerow([*COLUMNS, *(["stock"] if with_stock else [])])
        for number, product in enumerate(_products(rows)):
            writer.writerow([*product, *([number % 50] if with_stock else [])])
            bare.writerow([*product, new_id(), "active", 1, moment, moment])


def _products(rows: int) -> Iterator[list[Any]]:
    """Products as a shop has them: some words of a name, some sentences of a description."""
    chance = Random(1)  # noqa: S311 - no secret
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000)]
    # As in a language, few words are frequent, and most are rare.
    weights = [1 / (place + 5) for place in range(len(words))]
    spoken = chance.choices(words, weights, k=400_000)

    def some(least: int, most: int) -> str:
        begin = chance.randrange(len(spoken) - most)
        return " ".join(spoken[begin : begin + chance.randint(least, most)])

    for number in range(rows):
        options = {"colour": some(1, 1), "size": chance.choice("SML")}
        attributes = {"weight_g": chance.randint(10, 5000), "material": some(1, 2)}
        yield [
            f"SKU-{number:07}",
            some(3, 8).title(),
            f"{some(25, 110).capitalize()}.",
            f"{chance.randint(100, 99_999) / 100:.2f}",
            "EUR",
            f"FAMILY-{number // 5}",
            json.dumps(options),
            json.dumps(attributes),
        ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stock", action="store_true", help="with counts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

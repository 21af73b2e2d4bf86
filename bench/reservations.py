"""Reservations of three lines over HTTP, against what PostgreSQL itself can do.

    python -m bench.reservations [--connections 16] [--seconds 15] [--workers 3]

First clients reserve over HTTP, then pgbench runs the very statements that such a request sends,
with as many connections, on the same server. Exit status 1 if HTTP reaches less than a sixth.
"""

import argparse
import asyncio
import hashlib
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path
from random import Random
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, text

from bench import pgbench
from bench.latency import site
from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.products.models import Product
from stockroom.stock.models import Level
from tests.api import Api
from tests.contract import web
from tests.contract.wires import Wire
from tests.factories.users import make_user, token_for

BOUND = 1 / 6
PRODUCTS = 300
LINES = 3
PIECES = 1_000_000_000
WARM_UP_SECONDS = 2

# A new process of its own: a fork would share the connections of this one.
processes = get_context("spawn")


def main() -> int:
    arguments = _arguments()
    with site(with_redis=True, serve=False) as settings:
        shop = replace(settings, web_concurrency=arguments.workers, rate_limit="1000000 per second")
        # Nothing prepared, so that each statement is seen as it is.
        app = create_app(replace(shop, database_prepare=False))
        _fill(app)
        token = token_for(app, make_user(app, role=Role.CUSTOMER))
        file = _script(app, token, shop.instance_path)
        with app.app_context():
            db.engine.dispose()
        over_http = _over_http(shop, token, arguments)
        by_pgbench = pgbench.transactions_a_second(
            shop.database_url, file, connections=arguments.connections, seconds=arguments.seconds
        )
    return _report(over_http, by_pgbench, arguments.connections)


def _report(over_http: float, by_pgbench: float, connections: int) -> int:
    ratio = over_http / by_pgbench
    print(f"HTTP     {over_http:8.0f} reservations of {LINES} lines a second")
    print(f"pgbench  {by_pgbench:8.0f} with the same statements, and {connections} connections")
    print(f"ratio    {ratio:8.3f} (bound {BOUND:.3f}): {'holds' if ratio >= BOUND else 'MISSED'}")
    return 0 if ratio >= BOUND else 1


def product_id(number: int) -> UUID:
    """As pgbench can compute it too."""
    return UUID(hashlib.md5(f"product-{number}".encode()).hexdigest())  # noqa: S324 - no secret


def sku(number: int) -> str:
    return f"bench-{number:03d}"


def _fill(app: Flask) -> None:
    products = [
        {"id": product_id(n), "sku": sku(n), "name": f"Product {n}", "price": 1, "currency": "EUR"}
        for n in range(PRODUCTS)
    ]
    levels = [
        {"product_id": product_id(n), "location": "main", "on_hand": PIECES, "reserved": 0}
        for n in range(PRODUCTS)
    ]
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(Product), products)
        connection.execute(insert(Level), levels)
        connection.execute(text("ANALYZE"))


def _script(app: Flask, token: str, folder: Path) -> Path:
    """What one reservation sends to the server, with other products and ids each time."""
    body = {"lines": [{"sku": sku(n), "quantity": 1} for n in range(LINES)]}
    with app.app_context():
        engine = db.engine
    with pgbench.seen(engine) as statements:
        assert Api(app, token).post("/reservations", json=body).status_code == HTTPStatus.CREATED
    part, names = PRODUCTS // LINES, _names()
    lines = [
        *(f"\\set p{n} random({n * part}, {(n + 1) * part - 1})" for n in range(LINES)),
        "\\set n random(1, 9000000000000000000)",
        *pgbench.script(statements, names),
    ]
    file = folder / "reservation.sql"
    file.write_text("\n".join(lines) + "\n")
    return file


def _names() -> Mapping[str, str]:
    """For SKUs and ids of the first products, those of the ones that pgbench chooses."""
    names = {sku(n): f"('bench-' || lpad(:p{n}::text, 3, '0'))" for n in range(LINES)}
    for n in range(LINES):
        chosen = f"(md5('product-' || :p{n})::uuid)"
        names |= {str(product_id(n)): chosen, product_id(n).hex: chosen}
    return names


def _over_http(settings: Settings, token: str, arguments: argparse.Namespace) -> float:
    """Reservations a second; the clients are a process of their own."""
    with web.serving(settings), processes.Pool(1) as pool:
        load = (settings.port, token, arguments.connections, arguments.seconds)
        return pool.apply(_clients, load) / arguments.seconds


def _clients(port: int, token: str, connections: int, seconds: int) -> int:
    begin = time.monotonic() + WARM_UP_SECONDS

    async def reserve_all() -> int:
        clients = (_reserve(Wire(port, token), n, begin, seconds) for n in range(connections))
        return sum(await asyncio.gather(*clients))

    return asyncio.run(reserve_all())


async def _reserve(wire: Wire, number: int, begin: float, seconds: int) -> int:
    chance, done = Random(number), 0  # noqa: S311 - no secret
    while (moment := time.monotonic()) < begin + seconds:
        chosen = chance.sample(range(PRODUCTS), LINES)
        body = {"lines": [{"sku": sku(n), "quantity": 1} for n in chosen]}
        answer = await wire.post("/reservations", body)
        assert answer.status == HTTPStatus.CREATED, answer.body
        done += moment >= begin
    return done


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--workers", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

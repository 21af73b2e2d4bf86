"""Reservations of three lines over HTTP, against what PostgreSQL itself can do.

    python -m bench.reservations [--connections 16] [--seconds 15] [--workers 3]

First clients reserve over HTTP, then pgbench runs the very statements that such a request sends, with
as many connections, on the same server. Exit status 1 if HTTP reaches less than a sixth.
"""

import argparse
import asyncio
import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from random import Random
from uuid import UUID

from flask import Flask
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.engine import make_url

from bench.latency import site
from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.embedded.binaries import find
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

processes = get_context("spawn")


def main() -> int:
    arguments = _arguments()
    with site(with_redis=True, serve=False) as settings:
        shop = replace(settings, web_concurrency=arguments.workers, rate_limit="1000000 per second")
        app = create_app(shop)
        _fill(app)
        with app.app_context():
            script = _script(app, shop.instance_path)
            db.engine.dispose()
        over_http = _over_http(shop, app, arguments)
        by_pgbench = _by_pgbench(shop, script, arguments)
    print(f"HTTP     {over_http:8.0f} reservations of {LINES} lines a second")
    print(
        f"pgbench  {by_pgbench:8.0f} with the same statements, {arguments.connections} connections"
    )
    holds = over_http >= by_pgbench * BOUND
    print(
        f"ratio    {over_http / by_pgbench:8.3f} (bound {BOUND:.3f}) {'' if holds else 'NOT HELD'}"
    )
    return 0 if holds else 1


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


def _over_http(settings: Settings, app: Flask, arguments: argparse.Namespace) -> float:
    token = token_for(app, make_user(app, role=Role.CUSTOMER))
    with app.app_context():
        db.engine.dispose()
    with web.serving(settings), processes.Pool(1) as pool:
        found = pool.apply(
            _clients, [settings.port, token, arguments.connections, arguments.seconds]
        )
    return found / arguments.seconds


def _clients(port: int, token: str, connections: int, seconds: int) -> int:
    return asyncio.run(_reserve_all(port, token, connections, seconds))


async def _reserve_all(port: int, token: str, connections: int, seconds: int) -> int:
    begin = time.monotonic() + WARM_UP_SECONDS
    counts = await asyncio.gather(
        *(_reserve(Wire(port, token), Random(n), begin, seconds) for n in range(connections))  # noqa: S311 - no secret
    )
    return sum(counts)


async def _reserve(wire: Wire, chance: Random, begin: float, seconds: int) -> int:
    done = 0
    while (moment := time.monotonic()) < begin + seconds:
        chosen = chance.sample(range(PRODUCTS), LINES)
        body = {"lines": [{"sku": sku(n), "quantity": 1} for n in chosen]}
        answer = await wire.post("/reservations", body)
        assert answer.status == 201, answer.body
        done += moment >= begin
    return done


# --- The same by pgbench -------------------------------------------------------------------


def _script(app: Flask, folder: Path) -> Path:
    """What one reservation sends to the server, written for pgbench: with products chosen by it, and
    ids of its own.
    """
    chosen = range(LINES)
    api = Api(app, token_for(app, make_user(app, role=Role.CUSTOMER)))
    body = {"lines": [{"sku": sku(n), "quantity": 1} for n in chosen]}
    with _seen(app) as statements:
        answer = api.post("/reservations", json=body)
    assert answer.status_code == 201, answer.text
    variables = dict(zip(chosen, "abc", strict=True))
    names = {sku(n): f"('bench-' || lpad(:{v}::text, 3, '0'))" for n, v in variables.items()}
    for n, variable in variables.items():
        name = f"(md5('product-' || :{variable})::uuid)"
        names |= {str(product_id(n)): name, product_id(n).hex: name}
    part = PRODUCTS // LINES
    lines = [
        *(f"\\set {v} random({n * part}, {(n + 1) * part - 1})" for n, v in variables.items()),
        "\\set n random(1, 9000000000000000000)",
        *_for_pgbench(statements, names),
    ]
    path = folder / "reservation.sql"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def _seen(app: Flask) -> Iterator[list[str]]:
    """Every statement, as the server gets it; transactions with their ends."""
    statements: list[str] = []

    def note(connection: Connection, cursor: object, *_: object) -> None:
        if not connection.connection.autocommit and "BEGIN" not in statements:  # type: ignore[attr-defined]
            statements.append("BEGIN")
        statements.append(cursor.query.decode().strip())  # type: ignore[attr-defined]

    engine = db.engine
    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", lambda _: statements.append("COMMIT"))
    yield statements
    event.remove(engine, "after_cursor_execute", note)


_UUID = re.compile(r"'([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})'")


def _for_pgbench(statements: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """The statements with names in place of some values, and new ids in place of those inserted."""
    known: set[str] = set()
    for statement in statements:
        text = re.sub(r"\s+", " ", statement)
        for value, name in names.items():
            text = text.replace(f"'{value}'", name)
        if text.startswith("INSERT"):
            text = _UUID.sub(lambda found: _fresh(found, known), text)
        else:
            known |= {UUID(value).hex for value in _UUID.findall(text)}
        yield f"{text};"


def _fresh(found: re.Match[str], known: Set[str]) -> str:
    value = UUID(found[1]).hex
    return found[0] if value in known else f"(md5(:n || '{value}')::uuid)"


def _by_pgbench(settings: Settings, script: Path, arguments: argparse.Namespace) -> float:
    url = make_url(settings.database_url)
    command = [
        str(find().folder / "pgbench"),
        *("--no-vacuum", f"--client={arguments.connections}", "--jobs=2"),
        *(f"--time={arguments.seconds}", f"--file={script}", "--protocol=simple"),
        *(f"--host={url.query['host']}", f"--port={url.query['port']}"),
        *(f"--username={url.username}", str(url.database)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--workers", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    with ExitStack():
        sys.exit(main())

"""A real year of a shop, replayed: every counter is what a plain script makes of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading
from stockroom.extensions import db
from stockroom.products.models import Product
from stockroom.stock.models import Level, Movement
from tests.contract.web import free_port, serving
from tests.factories.stock import assert_books_agree
from tests.factories.users import make_user, token_for
from tests.servers import Servers
from tests.stock import year
from tests.stock.year import ALL_LINES, LINES, Replay

WORKERS = 3

pytestmark = pytest.mark.skipif(not LINES.exists(), reason=f"there is no {LINES}")


@pytest.mark.parametrize(
    ("most_lines", "divisor"),
    [
        pytest.param(500, 2, id="some lines, half of what they sell"),
        pytest.param(ALL_LINES, 1, id="all that is sold", marks=pytest.mark.heavy(minutes=8)),
        pytest.param(ALL_LINES, 2, id="half of it", marks=pytest.mark.heavy(minutes=7)),
    ],
)
def test_the_counters_are_those_of_a_plain_script(
    servers: dict[str, str], settings: Settings, tmp_path: Path, divisor: int, most_lines: int
) -> None:
    shop = replace(
        settings,
        instance_path=tmp_path,
        port=free_port(),
        database_url=Servers.database(servers, f"year_{free_port()}"),
        redis_url=servers["redis"],
        web_concurrency=WORKERS,
        log_level=30,
    )
    app = create_app(shop)
    documents = year.documents(most_lines)
    ids = year.open_stock(app, documents, divisor)
    token = token_for(app, make_user(app, role=Role.STAFF))
    with app.app_context():
        db.engine.dispose()
    with serving(shop):
        done = year.replay(shop.port, token, documents, ids)
    assert set(done.statuses) <= {201, 409}
    # Write-offs take what later orders would have; of half of it there is too little anyway.
    assert done.statuses[409] > 0 or divisor == 1
    assert_as_plainly(app, done, tmp_path, divisor=divisor, most_lines=most_lines)


def assert_as_plainly(
    app: Flask, done: Replay, folder: Path, *, divisor: int, most_lines: int
) -> None:
    plain = year.plainly(folder, done.accepted, divisor, most_lines)
    with app.app_context(), reading() as session:
        levels = select(Product.sku, Level.on_hand).join(Level, Level.product_id == Product.id)
        on_hand: dict[str, int] = {row[0]: row[1] for row in session.execute(levels)}
        promised = session.scalar(select(func.sum(Level.reserved)))
        recorded = select(func.count()).where(Movement.reference != "opening stock")
        lines = session.scalar(recorded)
    # A product that never had a piece has no level.
    assert {sku: on_hand.get(sku, 0) for sku in plain["pieces"]} == plain["pieces"]
    assert (promised, lines) == (0, plain["lines"])
    assert_books_agree(app)
    with app.app_context():
        db.engine.dispose()

"""Many buyers at once: what is there is sold, and not one piece more."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from threading import Event
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.extensions import db
from stockroom.stock.models import Reservation, ReservationStatus
from tests.contract.killing import Victim, killable
from tests.contract.web import free_port, serving
from tests.embedded.conftest import QUICK, new_folder
from tests.factories.products import make_product
from tests.factories.stock import assert_books_agree, levels
from tests.factories.users import make_user, token_for
from tests.servers import Servers, migrate
from tests.stock.buyers import Sale
from tests.stock.commands import stock
from tests.threads import until

# It goes the same ways a thousand times.

WORKERS = 3
ACCOUNTS = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How many buyers over how many connections, for so many pieces of so many products."""

    buyers: int
    connections: int
    products: int
    pieces: int

    def __str__(self) -> str:
        return f"{self.buyers} buyers"


FEW = Size(24, 16, 6, 20)
MANY = Size(1000, 200, 100, 300)


@pytest.fixture
def open_shop(
    servers: dict[str, str], settings: Settings, tmp_path: Path
) -> Callable[[str], Settings]:
    """Settings of three workers on a database that is there."""

    def opened(address: str) -> Settings:
        return replace(
            settings,
            instance_path=tmp_path,
            port=free_port(),
            database_url=address,
            redis_url=servers["redis"],
            web_concurrency=WORKERS,
        )

    return opened


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder(0o755) as folder:
        yield folder


@pytest.mark.parametrize(
    "size", [FEW, pytest.param(MANY, marks=pytest.mark.heavy(minutes=2))], ids=str
)
def test_exactly_what_is_there_is_sold(
    open_shop: Callable[[str], Settings], servers: dict[str, str], size: Size
) -> None:
    shop = open_shop(Servers.database(servers, f"crowd_{free_port()}"))
    app = create_app(shop)
    sale, ids = opened(app, shop.port, size)
    with serving(shop):
        sale.run(size.buyers, size.connections, seed=1)
    assert sale.unexplained == []
    assert set(sale.statuses) <= {200, 201, 409}
    assert sale.statuses[409] > 0
    assert_sold_out(app, sale, ids, size)


def opened(app: Flask, port: int, size: Size) -> tuple[Sale, Sequence[object]]:
    """A sale, and the ids of the products that are in it."""
    made = [make_product(app, stock=size.pieces) for _ in range(size.products)]
    tokens = [token_for(app, make_user(app, role=Role.CUSTOMER)) for _ in range(ACCOUNTS)]
    with app.app_context():
        db.engine.dispose()
    return Sale(port, tokens, [it.sku for it in made]), [it.id for it in made]


def assert_sold_out(app: Flask, sale: Sale, ids: Sequence[object], size: Size) -> None:
    assert sale.sold == dict.fromkeys(sale.skus, size.pieces)
    assert {str(levels(app, it)) for it in ids} == {"{'main': (0, 0)}"}
    assert stock(app, "verify").exit_code == 0
    assert_books_agree(app)
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    "size", [FEW, pytest.param(MANY, marks=pytest.mark.heavy(minutes=6))], ids=str
)
def test_nothing_is_lost_or_sold_twice_while_servers_die(
    open_shop: Callable[[str], Settings], folder: Path, tmp_path: Path, size: Size
) -> None:
    """Workers are killed, PostgreSQL is restarted; who gets no answer asks again, with its key."""
    postgres = EmbeddedPostgres(folder / "postgres", settings=QUICK)
    address = address_of(postgres)
    migrate(address, tmp_path)
    shop = open_shop(address)
    app = create_app(shop)
    sale, ids = opened(app, shop.port, size)
    sale.is_stubborn = True
    try:
        with killable(shop) as victim, ThreadPoolExecutor(1) as pool:
            selling = pool.submit(sale.run, size.buyers, size.connections, seed=1)
            until(lambda: sale.committed)
            # Each of the connections waits for an answer that does not come.
            victim.kill_workers()
            die_until(selling.done, victim, postgres)
            selling.result()
        assert sale.lost > 0
        assert sale.unexplained == []
        assert_sold_out(app, sale, ids, size)
        assert_kept(app, sale.committed)
    finally:
        postgres.stop()


def die_until(over: Callable[[], bool], victim: Victim, postgres: EmbeddedPostgres) -> None:
    dice, deaths = Random(1), 0  # noqa: S311 - the dice of a test
    while not over():
        # The moment is what is random; nothing is waited for.
        Event().wait(dice.uniform(0.05, 0.6))
        if deaths % 5 == 1:
            postgres.stop()
            address_of(postgres)
        else:
            victim.kill_worker()
        deaths += 1
    assert deaths > 1


def assert_kept(app: Flask, acknowledged: Sequence[str]) -> None:
    with app.app_context(), reading() as session:
        committed = session.scalars(
            select(Reservation.id).where(Reservation.status == ReservationStatus.COMMITTED)
        ).all()
    assert sorted(acknowledged) == sorted(map(str, committed))


def address_of(postgres: EmbeddedPostgres) -> str:
    """Where the server is, which is started if it does not run."""
    info = postgres.start()
    return f"postgresql://{info.user}@/{info.database}?host={quote(info.host, safe='')}"

"""Behind PgBouncer in transaction mode, where no connection of the server is anybody's own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from stockroom.core.background.wakeups import listen
from stockroom.core.health import check_connections
from stockroom.core.permissions import Role
from stockroom.outbox.relay import relay
from tests import pgbouncer
from tests.api import Api
from tests.contract.web import ROOT
from tests.core.background.listening import listeners
from tests.factories.products import product_body
from tests.factories.stock import assert_books_agree
from tests.factories.users import make_user, token_for
from tests.pgbouncer import needs_pgbouncer
from tests.threads import at_once, until

pytestmark = needs_pgbouncer

CONNECTIONS = 2
BUYERS = 8
FEATURES = ("products", "stock", "outbox", "users")


@pytest.fixture
def pooled(
    servers: dict[str, str], database: str, make_app: Callable[..., Flask]
) -> Iterator[Flask]:
    """An application of eight connections, which share two of the server's."""
    with pgbouncer.pgbouncer(servers["postgres"], connections=CONNECTIONS) as address:
        yield make_app(database_url=address.format(database), **pgbouncer.SETTINGS)


def test_many_buy_at_once_over_two_connections_of_the_server(pooled: Flask) -> None:
    staff = Api(pooled, token_for(pooled, make_user(pooled, role=Role.STAFF)))

    def sell(number: int) -> tuple[int, ...]:
        made = staff.post("/products", json=product_body(stock=number + 1))
        product = made.get_json()
        order = {"lines": [{"product_id": product["id"], "quantity": 1}]}
        reserved = staff.post("/reservations", json=order)
        read = staff.get(f"/products/{product['id']}")
        assert read.get_json()["available"] == number
        with pooled.app_context():
            relay()
        return made.status_code, reserved.status_code, read.status_code

    assert at_once(sell, range(BUYERS)) == [(201, 201, 200)] * BUYERS
    assert_books_agree(pooled)
    events: list[dict[str, Any]] = staff.get("/events?limit=200").get_json()["items"]
    positions = [event["position"] for event in events]
    assert sorted(positions) == [*range(min(positions), min(positions) + len(positions))]
    assert [event["type"] for event in events].count("product.created") == BUYERS


def test_nobody_listens_on_a_connection_that_others_get_as_well(pooled: Flask) -> None:
    stop = Event()

    def hear() -> None:
        with pooled.app_context():
            listen(stop, set)

    thread = Thread(target=hear)
    thread.start()
    try:
        until(lambda: not thread.is_alive())
    finally:
        stop.set()
        thread.join()
    assert listeners(pooled) == set()


def test_how_many_connections_there_are_is_left_to_it(pooled: Flask) -> None:
    with pooled.app_context():
        assert check_connections() == "up to 11, by way of a pooler"


@pytest.mark.heavy(minutes=2)
def test_the_features_work_as_they_do_without_it() -> None:
    command = [sys.executable, "-m", "pytest", "--pgbouncer", "-q", "-n", "2"]
    # Connections that the server has closed are for PgBouncer to make anew, in its own time.
    away = "tests/outbox/test_tail.py::test_a_database_that_goes_away_is_waited_for"
    options = ["-m", "not heavy", "-p", "no:cacheprovider", "--deselect", away]
    folders = [f"tests/{feature}" for feature in FEATURES]
    run = subprocess.run(
        [*command, *options, *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout

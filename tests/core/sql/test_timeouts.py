"""What takes too long for a web process is cut off, directly and behind PgBouncer."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from stockroom.core.context import settings
from stockroom.core.errors import Busy, Unavailable
from stockroom.core.permissions import Role
from stockroom.core.sql import timeouts
from stockroom.core.transaction import reading, snapshot, transaction
from stockroom.extensions import db
from stockroom.products.models import Product
from tests import pgbouncer
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.pgbouncer import needs_pgbouncer
from tests.threads import elsewhere

SLEEP = text("SELECT pg_sleep(20)")
VALUES = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")

Bound = Callable[..., Flask]


@pytest.fixture(params=["directly", pytest.param("behind PgBouncer", marks=needs_pgbouncer)])
def bound(
    request: pytest.FixtureRequest,
    servers: dict[str, str],
    database: str,
    make_app: Callable[..., Flask],
) -> Iterator[Bound]:
    """Makes applications as a web process has them, with these timeouts in seconds."""

    def make(statement: float = 0, lock: float = 0, **changes: Any) -> Flask:
        app = make_app(
            database_statement_timeout_seconds=statement,
            database_lock_timeout_seconds=lock,
            **changes,
        )
        with app.app_context():
            timeouts.bind(db.engine, settings())
        return app

    if request.param == "directly":
        yield make
        return
    with pgbouncer.pgbouncer(servers["postgres"], connections=2) as address:
        pooled = {"database_url": address.format(database), **pgbouncer.SETTINGS}
        yield lambda *args: make(*args, **pooled)


def test_a_statement_that_takes_too_long_is_unavailable(bound: Bound) -> None:
    with bound(0.05).app_context():
        for _ in range(2):
            with pytest.raises(Unavailable, match="too long"), reading() as session:
                session.execute(SLEEP)
            with pytest.raises(Unavailable, match="too long"), transaction() as session:
                session.execute(SLEEP)
            with pytest.raises(Unavailable, match="too long"), snapshot() as session:
                session.execute(SLEEP)


def test_a_lock_that_is_not_to_be_had_is_a_change_in_the_way(app: Flask, bound: Bound) -> None:
    locked = select(Product.id).where(Product.id == make_product(app).id).with_for_update()
    web = bound(0, 0.05)

    def lock() -> None:
        with web.app_context(), transaction() as session:
            session.execute(locked)

    with app.app_context(), transaction() as holder:
        holder.execute(locked)
        with pytest.raises(Busy):
            elsewhere(lock)


def test_a_request_that_is_cut_off_is_a_503_that_says_when_to_try_again(
    app: Flask, bound: Bound
) -> None:
    product = make_product(app)
    staff = Api(bound(0.2), token_for(app, make_user(app, role=Role.STAFF)))
    with app.app_context(), transaction() as holder:
        holder.execute(select(Product.id).where(Product.id == product.id).with_for_update())
        change = partial(staff.patch, f"/products/{product.id}", json={"name": "New"}, if_match=1)
        changed = elsewhere(change)
    assert_problem(changed, 503, "unavailable")
    assert int(changed.headers["Retry-After"]) > 0


def test_every_transaction_has_both_timeouts(bound: Bound) -> None:
    with bound(7, 3).app_context():
        for _ in range(3):
            with reading() as session:
                assert session.execute(VALUES).one() == ("7s", "3s")
            with transaction() as session:
                session.execute(text("SELECT 1"))
                assert session.execute(VALUES).one() == ("7s", "3s")
            with snapshot() as session:
                assert session.execute(VALUES).one() == ("7s", "3s")


def test_without_them_a_statement_may_take_for_ever(app: Flask, bound: Bound) -> None:
    with bound(7, 3).app_context(), reading() as session:
        session.execute(text("SELECT 1"))
    with app.app_context(), reading() as session:
        assert session.execute(VALUES).one() == ("0", "0")


@needs_pgbouncer
def test_behind_pgbouncer_nothing_is_left_for_who_comes_next(
    servers: dict[str, str], database: str, make_app: Callable[..., Flask]
) -> None:
    with pgbouncer.pgbouncer(servers["postgres"], connections=1) as address:
        pooled = {"database_url": address.format(database), **pgbouncer.SETTINGS}
        web, command = make_app(**pooled), make_app(**pooled)
        with web.app_context():
            timeouts.bind(db.engine, settings())
            with reading() as session:
                assert session.execute(VALUES).one() == ("30s", "10s")
        with command.app_context(), reading() as session:
            assert session.execute(VALUES).one() == ("0", "0")

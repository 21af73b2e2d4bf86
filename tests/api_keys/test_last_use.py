"""The time of the last use: noted now and then, and never in the way."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from stockroom.api_keys import keys, lookup
from stockroom.api_keys.service import Issued
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.extensions import db
from tests.api import Api
from tests.factories.api_keys import set_key, stored_key
from tests.statements import statements
from tests.threads import elsewhere


def use(app: Flask, issued: Issued) -> None:
    assert Api(app, key=issued.key).get("/users/me").status_code == 200


def test_a_use_is_noted(app: Flask, issued: Issued) -> None:
    before = now()
    assert stored_key(app, issued.api_key.id).last_used_at is None
    use(app, issued)
    assert before <= (stored_key(app, issued.api_key.id).last_used_at or before) <= now()


@pytest.mark.parametrize(("seconds_ago", "is_noted"), [(50, False), (70, True)])
def test_a_use_is_noted_once_a_minute(
    app: Flask, issued: Issued, seconds_ago: int, is_noted: bool
) -> None:
    before = now() - timedelta(seconds=seconds_ago)
    set_key(app, issued.api_key.id, last_used_at=before)
    use(app, issued)
    assert (stored_key(app, issued.api_key.id).last_used_at != before) == is_noted


def test_a_key_that_was_used_just_now_costs_one_look_up(app: Flask, issued: Issued) -> None:
    use(app, issued)
    with statements(app) as asked:
        assert lookup.find_caller(issued.key)
    assert len(asked) == 1


def test_what_cannot_be_a_key_costs_none(app: Flask) -> None:
    with statements(app) as asked:
        assert lookup.find_caller(keys.new_key()[:-1] + "!") is None
        assert lookup.find_caller("sr_" + "A" * 49) is None
    assert asked == []


@pytest.mark.parametrize(
    "lock", ["SELECT 1 FROM api_keys FOR UPDATE", "LOCK TABLE api_keys IN SHARE MODE"]
)
def test_a_use_that_cannot_be_noted_at_once_is_let_be(
    app: Flask, issued: Issued, lock: str
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text(lock))
        elsewhere(lambda: use(app, issued))
    assert stored_key(app, issued.api_key.id).last_used_at is None


def test_of_two_uses_at_once_one_is_noted_without_a_warning(
    app: Flask, issued: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("SELECT 1 FROM api_keys FOR UPDATE"))
        elsewhere(lambda: use(app, issued))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_database_that_takes_no_changes_keeps_no_key_out(
    app: Flask, issued: Issued, make_app: Callable[..., Flask]
) -> None:
    standby = make_app()
    with standby.app_context():

        @event.listens_for(db.engine, "connect")
        def make_read_only(connection: Any, _record: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET default_transaction_read_only = on")
            connection.commit()

    use(standby, issued)
    assert stored_key(app, issued.api_key.id).last_used_at is None

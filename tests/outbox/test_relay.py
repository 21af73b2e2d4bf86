"""The relay: positions without gaps in the order of the commits, and how far behind it is."""

from flask import Flask
from sqlalchemy import text

from stockroom.core.database import new_id
from stockroom.core.transaction import transaction
from stockroom.extensions import db
from stockroom.outbox.health import check_relay
from stockroom.outbox.relay import EVENTS_AT_ONCE
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from tests.outbox.events import all_events, positions, record_some, relay_all
from tests.outbox.takers import MakeRelay, Taker
from tests.threads import at_once, elsewhere


def test_positions_count_on_from_one_without_gaps(app: Flask) -> None:
    for number in (3, 1, 2):
        record_some(app, number)
        relay_all(app)
    assert positions(app) == [1, 2, 3, 4, 5, 6]


def test_a_transaction_that_is_rolled_back_leaves_no_gap(app: Flask) -> None:
    record_some(app)
    with app.app_context(), transaction(dry_run=True) as session:
        record(session, EventType.PRODUCT_UPDATED, new_id(), {})
    record_some(app)
    relay_all(app)
    assert positions(app) == [1, 2]


def test_an_event_that_is_not_committed_has_no_position(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        record(session, EventType.PRODUCT_UPDATED, new_id(), {})
        elsewhere(lambda: record_some(app))
        elsewhere(lambda: relay_all(app))
        assert elsewhere(lambda: positions(app)) == [1]
    relay_all(app)
    assert positions(app) == [1, 2]


def test_what_began_first_and_was_committed_last_comes_last(app: Flask) -> None:
    first, second = new_id(), new_id()
    with app.app_context(), transaction() as early:
        record(early, EventType.PRODUCT_CREATED, first, {})
        early.flush()
        elsewhere(lambda: record_some(app, subject=second))
    relay_all(app)
    assert [event.subject for event in all_events(app)] == [second, first]
    assert positions(app) == [1, 2]


def test_more_events_than_go_at_once_are_all_relayed(make_relay: MakeRelay) -> None:
    app = make_relay({"taker": (taker := Taker())})
    relay_all(app)
    record_some(app, 2 * EVENTS_AT_ONCE + 1)
    relay_all(app)
    assert positions(app) == list(range(1, 2 * EVENTS_AT_ONCE + 2))
    assert taker.positions == positions(app)
    assert max(through - after for after, through in taker.ranges) == EVENTS_AT_ONCE


def test_relays_at_once_give_each_event_one_position(make_relay: MakeRelay) -> None:
    app = make_relay({"taker": (taker := Taker())})
    relay_all(app)
    record_some(app, EVENTS_AT_ONCE + 100)
    at_once(lambda _: relay_all(app), range(6))
    assert positions(app) == list(range(1, EVENTS_AT_ONCE + 101))
    assert taker.positions == positions(app)


def test_relays_and_writers_at_once_lose_nothing(app: Flask) -> None:
    def act(number: int) -> None:
        for _ in range(20):
            record_some(app) if number % 2 else relay_all(app)

    at_once(act, range(6))
    relay_all(app)
    assert sorted(map(int, map(str, positions(app)))) == list(range(1, 61))


def test_health_tells_the_age_of_what_waits(app: Flask, app_context: None) -> None:
    assert check_relay() == "all relayed"
    record_some(app)
    assert check_relay().startswith("the oldest that is not relayed is 0.")
    relay_all(app)
    assert check_relay() == "all relayed"


def test_health_fails_where_news_waits_for_long(app: Flask, admin: object) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE events SET occurred_at = now() - interval '2 minutes'"))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "does a worker run?" in answer.get_json()["checks"]["events"]["found"]

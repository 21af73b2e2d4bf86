"""The relay: positions without gaps in the order of the commits, and the way to the sinks."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from stockroom.core.database import new_id
from stockroom.core.transaction import reading, transaction
from stockroom.extensions import db
from stockroom.outbox import repository
from stockroom.outbox.health import check_relay
from stockroom.outbox.models import Event
from stockroom.outbox.relay import EVENTS_AT_ONCE
from stockroom.outbox.service import record
from stockroom.outbox.sinks import Listener, Outlets, Sink, bind_outlets
from stockroom.outbox.types import EventType
from tests.outbox.events import all_events, positions, record_some, relay_all
from tests.threads import at_once, elsewhere

MakeRelay = Callable[..., Flask]


class Taker:
    """A sink's ``take`` that keeps the positions which it was given, and fails when it is told."""

    def __init__(self) -> None:
        self.positions: list[int | None] = []
        self.ranges: list[tuple[int, int]] = []
        self.is_broken = False

    def __call__(self, session: Session, after: int, through: int) -> None:
        if self.is_broken:
            raise RuntimeError("broken")
        between = select(Event.position).where(Event.position > after, Event.position <= through)
        self.positions += session.scalars(between.order_by(Event.position))
        self.ranges.append((after, through))


@pytest.fixture
def make_relay(make_app: Callable[..., Flask]) -> MakeRelay:
    """An application whose events go to the sinks and listeners given."""

    def make(sinks: dict[str, Taker], listeners: tuple[Listener, ...] = ()) -> Flask:
        app = make_app()
        bound = [Sink(name, taker) for name, taker in sinks.items()]
        bind_outlets(app.extensions, Outlets(bound, listeners))
        return app

    return make


# Positions


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


# Sinks


def test_a_sink_takes_each_event_once_and_in_order(make_relay: MakeRelay) -> None:
    app = make_relay({"taker": (taker := Taker())})
    relay_all(app)
    for _ in range(3):
        record_some(app, 2)
        relay_all(app)
        relay_all(app)
    assert taker.positions == [1, 2, 3, 4, 5, 6]


def test_a_sink_that_fails_keeps_no_other_from_its_events(make_relay: MakeRelay) -> None:
    broken, sound = Taker(), Taker()
    app = make_relay({"broken": broken, "sound": sound})
    relay_all(app)
    broken.is_broken = True
    record_some(app, 2)
    relay_all(app)
    assert (broken.positions, sound.positions) == ([], [1, 2])


def test_a_sink_that_failed_takes_up_where_it_was(make_relay: MakeRelay) -> None:
    app = make_relay({"taker": (taker := Taker())})
    relay_all(app)
    record_some(app)
    relay_all(app)
    taker.is_broken = True
    record_some(app, 2)
    relay_all(app)
    taker.is_broken = False
    relay_all(app)
    assert taker.positions == [1, 2, 3]


def test_what_a_failing_sink_wrote_is_not_kept(make_relay: MakeRelay) -> None:
    def take(session: Session, after: int, through: int) -> None:
        session.add(Event(type="test.written", subject=new_id(), data={}))
        session.flush()
        raise RuntimeError("broken")

    app = make_relay({"writer": take})  # type: ignore[dict-item]  # a plain function takes as well
    relay_all(app)
    record_some(app)
    relay_all(app)
    assert [event.type for event in all_events(app)] == ["product.updated"]


def test_a_new_sink_begins_with_the_events_to_come(app: Flask, make_relay: MakeRelay) -> None:
    record_some(app, 3)
    relay_all(app)
    later = make_relay({"new": (taker := Taker())})
    relay_all(later)
    record_some(app, 2)
    relay_all(later)
    assert taker.positions == [4, 5]


def test_a_new_sink_begins_there_though_older_events_are_removed(
    app: Flask, make_relay: MakeRelay
) -> None:
    record_some(app, 3)
    relay_all(app)
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM events"))
    later = make_relay({"new": (taker := Taker())})
    relay_all(later)
    record_some(app)
    relay_all(later)
    assert taker.ranges == [(3, 4)]


# Listeners


def test_listeners_are_told_of_the_newest_position(make_relay: MakeRelay) -> None:
    told: list[int] = []
    app = make_relay({}, (told.append,))
    record_some(app, 3)
    relay_all(app)
    record_some(app)
    relay_all(app)
    relay_all(app)
    assert told == [3, 4]


def test_listeners_are_told_though_a_sink_fails(make_relay: MakeRelay) -> None:
    told: list[int] = []
    app = make_relay({"broken": (broken := Taker())}, (told.append,))
    broken.is_broken = True
    record_some(app)
    relay_all(app)
    assert told == [1]


def test_a_listener_that_fails_keeps_nobody_from_the_news(make_relay: MakeRelay) -> None:
    def fail(position: int) -> None:
        raise ConnectionError(position)

    told: list[int] = []
    app = make_relay({"taker": (taker := Taker())}, (fail, told.append))
    relay_all(app)
    record_some(app)
    relay_all(app)
    assert (told, taker.positions) == ([1], [1])


def test_a_listener_finds_what_it_is_told_of(make_relay: MakeRelay) -> None:
    found: list[int] = []

    def look(_position: int) -> None:
        with reading() as session:
            found.append(repository.newest_position(session))

    app = make_relay({}, (look,))
    record_some(app, 2)
    relay_all(app)
    assert found == [2]


# Health


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

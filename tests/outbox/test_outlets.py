"""The way from the relay to its sinks, and to listeners who are told that there is news."""

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from stockroom.core.database import new_id
from stockroom.core.transaction import reading, transaction
from stockroom.outbox import repository
from stockroom.outbox.models import Event
from tests.outbox.events import all_events, record_some, relay_all
from tests.outbox.takers import MakeRelay, Taker


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

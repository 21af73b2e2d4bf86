"""Old events are removed: in batches, from the front, and never those that are still needed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.outbox import jobs
from stockroom.outbox.jobs import REMOVED_AT_ONCE, remove_old_events
from stockroom.outbox.models import Cursor, Event
from stockroom.outbox.sinks import Outlets, Sink, bind_outlets
from tests.outbox.events import positions, record_some, relay_all


@pytest.fixture
def old(app: Flask) -> Flask:
    """An application with four relayed events, all of them past their time."""
    record_some(app, 4)
    relay_all(app)
    age(app)
    return app


def age(app: Flask, *among: ColumnElement[bool], days: int = 91) -> None:
    moment = now() - timedelta(days=days)
    with app.app_context(), transaction() as session:
        session.execute(update(Event).where(*among).values(occurred_at=moment))


def remove(app: Flask) -> int:
    with app.app_context():
        return remove_old_events()


def test_events_past_their_days_are_removed(old: Flask) -> None:
    record_some(old, 2)
    relay_all(old)
    assert remove(old) == 4
    assert positions(old) == [5, 6]


def test_how_long_events_are_kept_is_a_setting(make_app: Callable[..., Flask]) -> None:
    app = make_app(event_days=7)
    record_some(app, 2)
    relay_all(app)
    age(app, Event.position == 1, days=8)
    age(app, Event.position == 2, days=6)
    assert remove(app) == 1
    assert positions(app) == [2]


def test_positions_count_on_after_all_events_are_removed(old: Flask) -> None:
    remove(old)
    record_some(old)
    relay_all(old)
    assert positions(old) == [5]


def test_an_event_that_is_not_relayed_stays_however_old(app: Flask) -> None:
    record_some(app)
    age(app)
    assert remove(app) == 0
    assert positions(app) == [None]


def test_an_event_that_a_sink_has_not_taken_stays(
    old: Flask, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    bind_outlets(app.extensions, Outlets([Sink("slow", lambda *_: None)]))
    with app.app_context(), transaction() as session:
        session.add(Cursor(name="slow", position=3))
    assert remove(app) == 3
    assert positions(app) == [4]


def test_an_event_that_a_sink_without_a_cursor_may_want_stays(
    old: Flask, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    bind_outlets(app.extensions, Outlets([Sink("new", lambda *_: None)]))
    assert remove(app) == 0


def test_an_event_that_a_sink_has_taken_and_still_needs_stays(
    old: Flask, make_app: Callable[..., Flask]
) -> None:
    def through(_session: Session) -> int:
        return 1

    app = make_app()
    bind_outlets(app.extensions, Outlets([Sink("slow", lambda *_: None, through)]))
    relay_all(app)
    assert remove(app) == 1
    assert positions(app) == [2, 3, 4]


def test_an_old_event_behind_a_younger_one_stays_so_that_there_is_no_gap(app: Flask) -> None:
    record_some(app, 4)
    relay_all(app)
    age(app, Event.position != 2)
    assert remove(app) == 1
    assert positions(app) == [2, 3, 4]


def test_more_events_than_go_at_once_are_all_removed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "REMOVED_AT_ONCE", 10)
    assert REMOVED_AT_ONCE > 10
    record_some(app, 35)
    relay_all(app)
    age(app, Event.position <= 33)
    assert remove(app) == 33
    assert positions(app) == [34, 35]

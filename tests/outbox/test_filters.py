"""``GET /events``: what narrows it, and what it refuses."""

from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import text

from stockroom.core.database import new_id
from stockroom.core.transaction import transaction
from stockroom.outbox.types import EventType
from tests.api import Api, assert_problem
from tests.outbox.events import record_some, relay_all
from tests.outbox.reading import told_positions

CREATED, UPDATED = EventType.PRODUCT_CREATED, EventType.PRODUCT_UPDATED


def test_types_are_chosen_by_name_and_by_pattern(app: Flask, staff: Api, newest: int) -> None:
    for kind in (CREATED, UPDATED, EventType.USER_UPDATED, EventType.WEBHOOK_CREATED):
        record_some(app, event_type=kind)
    relay_all(app)
    found = {
        query: [place - newest for place in told_positions(staff, f"after={newest}&types={query}")]
        for query in ("product.created", "product.*", "user.*,product.updated", "*", "no.such")
    }
    assert found == {
        "product.created": [1],
        "product.*": [1, 2],
        "user.*,product.updated": [2, 3],
        "*": [1, 2, 3, 4],
        "no.such": [],
    }


def test_events_are_chosen_by_subject(app: Flask, staff: Api, newest: int) -> None:
    subject = new_id()
    record_some(app)
    record_some(app, 2, subject=subject)
    relay_all(app)
    assert told_positions(staff, f"subject={subject}") == [newest + 2, newest + 3]


def test_events_are_chosen_by_actor(app: Flask, staff: Api, newest: int) -> None:
    me = staff.get("/users/me").get_json()["id"]
    record_some(app)
    staff.post("/products", json={"sku": "MUG", "name": "Mug", "price": "1"})
    relay_all(app)
    assert told_positions(staff, f"actor={me}") == [newest, newest + 2]


def test_events_are_chosen_by_time_from_the_first_moment_to_before_the_last(
    app: Flask, staff: Api, newest: int
) -> None:
    record_some(app, 3)
    relay_all(app)
    for hour in (1, 2, 3):
        with app.app_context(), transaction() as session:
            session.execute(
                text("UPDATE events SET occurred_at = :at WHERE position = :position"),
                {"at": f"2026-01-01T0{hour}:00:00Z", "position": newest + hour},
            )
    since, until = quote("2026-01-01T01:00:00Z"), quote("2026-01-01T03:00:00Z")
    assert told_positions(staff, f"since={since}&until={until}") == [newest + 1, newest + 2]


def test_filters_narrow_each_other(app: Flask, staff: Api, newest: int) -> None:
    subject = new_id()
    record_some(app, event_type=CREATED, subject=subject)
    record_some(app, event_type=UPDATED, subject=subject)
    record_some(app, event_type=UPDATED)
    relay_all(app)
    query = f"subject={subject}&types=product.updated"
    assert told_positions(staff, query) == [newest + 2]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=1e3", "after"),
        ("after=1000000000000000000", "after"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("types=", "types"),
        ("types=product", "types"),
        ("types=product.created,,", "types"),
        ("types=Product.*", "types"),
        ("types=" + ",".join(["product.created"] * 150), "types"),
        ("subject=mug", "subject"),
        ("actor=me", "actor"),
        ("since=yesterday", "since"),
        ("until=2026-01-01", "until"),
        ("offset=3", "offset"),
    ],
)
def test_a_query_that_breaks_its_schema_is_refused(staff: Api, query: str, field: str) -> None:
    problem = assert_problem(staff.get(f"/events?{query}"), 422, "validation-error")
    assert list(problem["errors"]) == [field]

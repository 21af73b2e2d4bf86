"""``GET /events``: who sees what, and where to go on from."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from stockroom.core.transaction import transaction
from stockroom.outbox.types import EventType
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.outbox.events import all_events, record_some, relay_all
from tests.outbox.reading import read, told_positions
from tests.outbox.takers import MakeRelay

CREATED, UPDATED = EventType.PRODUCT_CREATED, EventType.PRODUCT_UPDATED


# What is told


def test_an_event_has_all_that_the_contract_names(app: Flask, staff: Api, newest: int) -> None:
    created = staff.post("/products", json={"sku": "MUG", "name": "Mug", "price": "1"})
    relay_all(app)
    (event,) = read(staff, f"after={newest}")["items"]
    occurred_at = datetime.fromisoformat(event.pop("occurred_at"))
    assert abs(datetime.now(UTC) - occurred_at).total_seconds() < 60
    assert UUID(event.pop("id"))
    assert event.pop("data")["sku"] == "MUG"
    assert event == {
        "position": newest + 1,
        "type": "product.created",
        "subject": created.get_json()["id"],
        "actor": staff.get("/users/me").get_json()["id"],
        "request_id": created.headers["X-Request-ID"],
    }


def test_an_event_without_a_position_is_not_told_yet(app: Flask, staff: Api, newest: int) -> None:
    record_some(app)
    assert read(staff, f"after={newest}") == {"items": [], "last_position": newest}


def test_events_come_in_the_order_of_their_positions(app: Flask, staff: Api, newest: int) -> None:
    record_some(app, 5)
    relay_all(app)
    assert told_positions(staff, f"after={newest}") == [newest + n for n in range(1, 6)]


# Where to go on from


def test_a_walk_by_last_position_meets_each_event_once(app: Flask, staff: Api, newest: int) -> None:
    record_some(app, 7)
    relay_all(app)
    seen, after = list[int](), newest
    while items := (page := read(staff, f"after={after}&limit=3"))["items"]:
        seen += [item["position"] for item in items]
        after = page["last_position"]
    assert seen == [newest + n for n in range(1, 8)]
    assert after == newest + 7


def test_last_position_passes_what_the_filters_leave_out(
    app: Flask, staff: Api, newest: int
) -> None:
    record_some(app, 1, event_type=CREATED)
    record_some(app, 3, event_type=UPDATED)
    relay_all(app)
    page = read(staff, f"after={newest}&types=product.created")
    assert [item["position"] for item in page["items"]] == [newest + 1]
    assert page["last_position"] == newest + 4


def test_last_position_of_a_full_page_is_that_of_its_last_event(
    app: Flask, staff: Api, newest: int
) -> None:
    for kind in (CREATED, UPDATED, CREATED):
        record_some(app, event_type=kind)
    relay_all(app)
    page = read(staff, f"after={newest}&types=product.created&limit=1")
    assert page["last_position"] == newest + 1


def test_whoever_is_told_of_a_position_can_go_on_from_it_at_once(
    make_relay: MakeRelay, staff: Api
) -> None:
    read_on = list[dict[str, Any]]()
    app = make_relay({}, (lambda told: read_on.append(read(staff, f"after={told}")),))
    record_some(app)
    relay_all(app)
    assert read_on == [{"items": [], "last_position": len(all_events(app))}]


# Who sees what


def test_customers_see_what_is_public_and_staff_sees_all(
    app: Flask, staff: Api, customer: Api
) -> None:
    relay_all(app)
    newest = len(all_events(app))
    record_some(app, is_public=True)
    record_some(app)
    relay_all(app)
    assert told_positions(customer) == [newest + 1]
    assert read(customer)["last_position"] == newest + 2
    assert told_positions(staff, f"after={newest}") == [newest + 1, newest + 2]


def test_who_has_done_something_is_for_staff(app: Flask, staff: Api, customer: Api) -> None:
    """Else every account could follow what another one buys."""
    product = make_product(app, stock=5)
    buyer = make_user(app)
    line = {"product_id": str(product.id), "quantity": 2}
    Api(app, token_for(app, buyer)).post("/reservations", json={"lines": [line]})
    relay_all(app)
    told, shown = (
        api.get("/events?types=stock.*").get_json()["items"][-1] for api in (staff, customer)
    )
    assert (told["actor"], bool(told["request_id"])) == (str(buyer.id), True)
    assert shown == told | {"actor": None, "request_id": None}
    assert_problem(customer.get(f"/events?actor={buyer.id}"), 403, "permission-denied")


def test_a_customer_cannot_ask_for_more(app: Flask, customer: Api) -> None:
    relay_all(app)
    me = customer.get("/users/me").get_json()["id"]
    assert told_positions(customer, f"subject={me}&types=user.*,*") == []


def test_without_an_account_nothing_is_told(nobody: Api) -> None:
    assert_problem(nobody.get("/events"), 401, "unauthenticated")


def test_administrators_see_where_an_event_came_from(app: Flask, admin: Api, staff: Api) -> None:
    admin.post("/products", json={"sku": "MUG", "name": "Mug", "price": "1"})
    relay_all(app)
    (session,) = admin.get("/auth/sessions").get_json()["items"]
    event = read(admin)["items"][-1]
    assert (event["address"], event["session"]) == ("127.0.0.1", session["id"])
    assert event["api_key"] is None
    assert {"address", "session", "api_key"}.isdisjoint(read(staff)["items"][-1])


# From where nobody can go on


def test_whoever_missed_removed_events_is_told_so(app: Flask, staff: Api, newest: int) -> None:
    record_some(app, 5)
    relay_all(app)
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM events WHERE position <= :p"), {"p": newest + 2})
    problem = assert_problem(staff.get(f"/events?after={newest}"), 410, "events-expired")
    assert problem["last_position"] == newest + 5
    assert told_positions(staff, f"after={newest + 2}") == [newest + 3, newest + 4, newest + 5]
    assert told_positions(staff) == [newest + 3, newest + 4, newest + 5]


def test_whoever_has_seen_all_goes_on_though_all_is_removed(
    app: Flask, staff: Api, newest: int
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM events"))
    assert read(staff, f"after={newest}") == {"items": [], "last_position": newest}
    if newest > 1:
        assert staff.get(f"/events?after={newest - 1}").status_code == 410


def test_whoever_is_ahead_of_all_events_is_told_so(staff: Api, newest: int) -> None:
    for ahead in (newest + 1, 10**18 - 1):
        problem = assert_problem(staff.get(f"/events?after={ahead}"), 410, "events-expired")
        assert problem["last_position"] == newest
        assert str(ahead) in problem["detail"]

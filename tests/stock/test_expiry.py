"""A reservation whose time is up counts as gone at once, whoever has written it down."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.core.background.jobs import bound_jobs
from stockroom.core.transaction import transaction
from stockroom.stock import expiry
from stockroom.stock.models import Level, Reservation
from tests.api import Api, assert_problem
from tests.factories.products import make_product
from tests.factories.stock import assert_books_agree, let_expire, levels, make_reservation
from tests.factories.users import make_user, token_for
from tests.locks import someone_waits
from tests.outbox.events import all_events
from tests.threads import at_once, until


@pytest.fixture
def mug(app: Flask) -> UUID:
    return make_product(app, sku="MUG", stock=5).id


def test_readers_see_what_is_overdue_as_available(app: Flask, staff: Api, mug: UUID) -> None:
    reservation = make_reservation(app, mug, 5)
    assert staff.get("/products?in_stock=true").get_json()["items"] == []
    let_expire(app, reservation.id)
    assert levels(app, mug) == {"main": (5, 0)}
    (item,) = staff.get("/products?in_stock=true").get_json()["items"]
    assert item["available"] == 5
    assert staff.get(f"/reservations/{reservation.id}").get_json()["status"] == "expired"
    listed = staff.get("/reservations?status=expired").get_json()["items"]
    assert [it["id"] for it in listed] == [str(reservation.id)]
    assert staff.get("/reservations?status=held").get_json()["items"] == []


def test_what_is_overdue_of_one_product_is_not_available_of_another(
    app: Flask, staff: Api, mug: UUID
) -> None:
    jug = make_product(app, sku="JUG", stock=5).id
    let_expire(app, make_reservation(app, mug, 2).id)
    make_reservation(app, jug, 1)
    items = staff.get("/products?sort=sku").get_json()["items"]
    assert [(it["sku"], it["available"]) for it in items] == [("JUG", 4), ("MUG", 5)]
    assert [staff.get(f"/products/{it}").get_json()["available"] for it in (jug, mug)] == [4, 5]


def test_the_etag_of_a_reservation_tells_that_it_has_expired(
    app: Flask, staff: Api, mug: UUID
) -> None:
    reservation = make_reservation(app, mug)
    path = f"/reservations/{reservation.id}"
    held = {"If-None-Match": staff.get(path).headers["ETag"]}
    assert staff.get(path, headers=held).status_code == 304
    let_expire(app, reservation.id)
    assert staff.get(path, headers=held).status_code == 200


@pytest.mark.parametrize("act", ["commit", "release", "extend"])
def test_what_is_overdue_cannot_be_ended_or_extended(
    app: Flask, staff: Api, mug: UUID, act: str
) -> None:
    reservation = make_reservation(app, mug, 5)
    let_expire(app, reservation.id)
    answer = staff.post(f"/reservations/{reservation.id}/{act}")
    assert assert_problem(answer, 409, "reservation-ended")["state"] == "expired"


def test_who_needs_the_pieces_gets_them_before_the_job_has_been_there(
    app: Flask, customer: Api, mug: UUID
) -> None:
    let_expire(app, make_reservation(app, mug, 5).id)
    line = {"sku": "MUG", "quantity": 5}
    assert customer.post("/reservations", json={"lines": [line]}).status_code == 201
    assert levels(app, mug) == {"main": (5, 5)}
    assert_books_agree(app)


def test_they_are_given_under_an_idempotency_key_as_well(
    app: Flask, customer: Api, mug: UUID
) -> None:
    let_expire(app, make_reservation(app, mug, 5).id)
    body, key = {"lines": [{"sku": "MUG", "quantity": 5}]}, {"Idempotency-Key": "order-7"}
    first = customer.post("/reservations", json=body, headers=key)
    assert first.status_code == 201
    assert customer.post("/reservations", json=body, headers=key).data == first.data
    assert_books_agree(app)


def test_who_gets_them_has_no_part_in_it_that_somebody_else_s_time_is_up(
    app: Flask, customer: Api, mug: UUID
) -> None:
    let_expire(app, make_reservation(app, mug, 5).id)
    customer.post("/reservations", json={"lines": [{"sku": "MUG", "quantity": 5}]})
    by_type = {event.type: event for event in all_events(app)}
    expired, created = (by_type[f"reservation.{it}"] for it in ("expired", "created"))
    assert (expired.actor_id, expired.session_id, expired.address) == (None, None, None)
    assert created.actor_id is not None
    exported = customer.get("/users/me/export").get_json()["parts"]["events"]
    assert "reservation.expired" not in {event["type"] for event in exported}


def test_nothing_is_locked_while_what_is_overdue_is_waited_for(
    app: Flask, customer: Api, mug: UUID
) -> None:
    """Reservations are locked before levels, also under a key: or buyers would block each other."""
    overdue = make_reservation(app, mug, 5).id
    let_expire(app, overdue)
    body, key = {"lines": [{"sku": "MUG", "quantity": 5}]}, {"Idempotency-Key": "order-8"}
    with ThreadPoolExecutor() as threads, app.app_context(), transaction() as session:
        session.execute(select(Reservation).where(Reservation.id == overdue).with_for_update())
        answer = threads.submit(customer.post, "/reservations", json=body, headers=key)
        until(lambda: someone_waits(app))
        level = select(Level).where(Level.product_id == mug)
        session.execute(level.with_for_update(nowait=True))
    assert answer.result().status_code == 201
    assert_books_agree(app)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("products", "sku,name,price,stock\nMUG,Mug,1,0\n"),
        ("stock", "sku,kind,quantity,reference\nMUG,shipped,5,order 7\n"),
    ],
)
def test_a_file_gets_them_too(
    app: Flask, mug: UUID, tmp_path: Path, command: str, text: str
) -> None:
    let_expire(app, make_reservation(app, mug, 5).id)
    (tmp_path / "file.csv").write_text(text)
    runner = app.test_cli_runner()
    result = runner.invoke(args=[command, "import", str(tmp_path / "file.csv")])
    assert result.stdout.endswith(" 0 rejected\n")
    assert levels(app, mug) == {"main": (0, 0)}
    assert_books_agree(app)


def test_a_movement_gets_them_too(app: Flask, staff: Api, mug: UUID) -> None:
    let_expire(app, make_reservation(app, mug, 5).id)
    shipped = {"kind": "shipped", "quantity": 5}
    assert staff.post(f"/products/{mug}/movements", json=shipped).status_code == 201
    assert_books_agree(app)


def test_the_job_gives_back_what_is_overdue_and_nothing_else(app: Flask, mug: UUID) -> None:
    gone, held = make_reservation(app, mug, 2), make_reservation(app, mug, 3)
    let_expire(app, gone.id)
    with app.app_context():
        bound_jobs()["stock.expire_overdue"].run()
    assert levels(app, mug) == {"main": (5, 3)}
    assert [it.subject for it in all_events(app) if it.type == "reservation.expired"] == [gone.id]
    assert held.status == "held"
    assert_books_agree(app)


def test_more_than_go_at_once_are_all_given_back(
    app: Flask, mug: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "AT_ONCE", 2)
    for _ in range(5):
        let_expire(app, make_reservation(app, mug).id)
    with app.app_context():
        expiry.expire_overdue()
    assert_books_agree(app)
    told = [event for event in all_events(app) if event.type == "reservation.expired"]
    assert len(told) == 5


def test_job_and_buyers_at_once_give_each_piece_back_once(app: Flask, mug: UUID) -> None:
    for _ in range(5):
        let_expire(app, make_reservation(app, mug).id)
    token = token_for(app, make_user(app))

    def act(number: int) -> int:
        if number % 2:
            with app.app_context():
                expiry.expire_overdue()
            return 0
        body = {"lines": [{"sku": "MUG", "quantity": 1}]}
        return Api(app, token).post("/reservations", json=body).status_code

    assert at_once(act, range(20)).count(201) == 5
    assert levels(app, mug) == {"main": (5, 5)}
    assert_books_agree(app)

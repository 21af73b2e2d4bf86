"""Tickets: how a browser, which can send no token, is let in."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from stockroom.auth import sessions as auth
from stockroom.core.database import now
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading, transaction
from stockroom.stream.models import StreamTicket
from stockroom.stream.service import redeem_ticket, remove_expired_tickets
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.stream.clients import EVENTS, Live, news, read
from tests.stream.frames import HANDSHAKE
from tests.threads import at_once


def issue(api: Api) -> str:
    return str(api.post("/events/tickets").get_json()["ticket"])


def expire(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(StreamTicket).values(expires_at=now() - timedelta(seconds=1)))


def kept(app: Flask) -> list[str]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(StreamTicket.digest)))


def redeemed(app: Flask, ticket: str) -> bool:
    with app.app_context():
        return redeem_ticket(ticket) is not None


def test_a_ticket_lets_in_over_a_websocket(live: Live) -> None:
    start = live.now()
    live.make_products(1)
    with live.socket(f"after={start}&ticket={live.ticket(live.token)}") as socket:
        assert read(socket, 1)[0]["position"] == start + 1


def test_a_ticket_lets_in_to_server_sent_events(live: Live) -> None:
    start = live.now()
    live.make_products(1)
    with live.stream(f"after={start}&ticket={live.ticket(live.token)}") as (_, messages):
        assert next(news(messages)).id == start + 1


def test_a_ticket_sees_what_its_account_may_see(live: Live) -> None:
    token = live.token_of(Role.CUSTOMER)
    start = live.now()
    live.make_products(1, status="draft")
    (seen,) = live.make_products(1)
    with live.socket(f"after={start}&ticket={live.ticket(token)}") as socket:
        assert read(socket, 1)[0]["subject"] == seen


@pytest.mark.parametrize("way", ["ws", "stream"])
def test_a_ticket_that_is_none_is_refused(live: Live, way: str) -> None:
    headers = HANDSHAKE if way == "ws" else {}
    answer = live.send("GET", f"{EVENTS}/{way}?ticket=nonsense", None, **headers)
    assert answer.status == 401
    assert json.loads(answer.body)["type"] == "/problems/unauthenticated"


def test_a_ticket_is_in_no_log(live: Live) -> None:
    ticket = live.ticket(live.token)
    with live.socket(f"ticket={ticket}"):
        pass
    live.send("GET", f"{EVENTS}/stream?ticket={ticket}", None)
    assert f"{EVENTS}/stream" in live.log
    assert ticket not in live.log


def test_a_ticket_is_good_for_half_a_minute(customer: Api) -> None:
    before = now()
    answer = customer.post("/events/tickets")
    assert answer.status_code == 201
    expires_at = type(before).fromisoformat(answer.get_json()["expires_at"])
    assert timedelta(seconds=29) < expires_at - before < timedelta(seconds=31)


def test_nobody_gets_a_ticket_without_an_account(nobody: Api) -> None:
    assert nobody.post("/events/tickets").status_code == 401


def test_a_ticket_is_good_once(app: Flask, customer: Api) -> None:
    ticket = issue(customer)
    assert redeemed(app, ticket)
    assert not redeemed(app, ticket)


def test_of_many_who_use_a_ticket_at_once_one_is_let_in(app: Flask, customer: Api) -> None:
    ticket = issue(customer)
    assert sorted(at_once(lambda _: redeemed(app, ticket), range(5))) == [False] * 4 + [True]


def test_an_expired_ticket_is_not_good(app: Flask, customer: Api) -> None:
    ticket = issue(customer)
    expire(app)
    assert not redeemed(app, ticket)


def test_a_ticket_is_worth_nothing_after_its_session(app: Flask) -> None:
    user = make_user(app)
    ticket = issue(Api(app, token_for(app, user)))
    with app.app_context():
        auth.end_all_sessions(user.id)
    assert not redeemed(app, ticket)


def test_a_ticket_is_not_kept_as_it_is(app: Flask, customer: Api) -> None:
    ticket = issue(customer)
    (digest,) = kept(app)
    assert ticket not in digest


def test_tickets_that_nobody_used_are_removed(app: Flask, customer: Api) -> None:
    issue(customer)
    expire(app)
    issue(customer)
    with app.app_context():
        assert remove_expired_tickets() == 1
    assert len(kept(app)) == 1


def test_a_ticket_is_good_for_streams_alone(app: Flask, nobody: Api, customer: Api) -> None:
    ticket = issue(customer)
    assert nobody.get(f"/users/me?ticket={ticket}").status_code == 401
    assert redeemed(app, ticket)

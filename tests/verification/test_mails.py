"""What stands in the mails, and what is kept of them."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from stockroom.core.database import now
from stockroom.core.permissions import Role
from stockroom.core.transaction import reading
from stockroom.users.models import User
from stockroom.verification.models import MailedToken
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.outbox.events import all_events
from tests.verification.letters import letters_to
from tests.verification.proving import (
    ADA,
    BOB,
    change,
    register,
)


def test_links_lead_to_the_front_end_where_there_is_one(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    shop = Api(make_app(account_url="https://shop.example/account"))
    register(shop)
    (letter,) = letters_to(app, ADA)
    expected = f"https://shop.example/account#purpose=verify&token={letter.params['token']}"
    assert letter.params["link"] == expected


def test_a_mail_says_where_it_was_asked_for(app: Flask, user: User, nobody: Api) -> None:
    nobody.post(
        "/auth/password/forgot",
        json={"email": ADA},
        environ_base={"REMOTE_ADDR": "203.0.113.5"},
    )
    (letter,) = letters_to(app, ADA)
    assert letter.params["asked_from"] == "203.0.113.5"
    assert all_events(app)[-1].address == "203.0.113.5"


def test_what_waits_to_be_proven_is_exported_and_erased(app: Flask, ada: Api) -> None:
    change(ada)
    (waiting,) = ada.get("/users/me/export").get_json()["parts"]["mailed_tokens"]
    assert (waiting["purpose"], waiting["address"]) == ("change", BOB)
    ada.delete("/users/me", if_match="*")
    with app.app_context(), reading() as session:
        assert session.scalars(select(MailedToken)).all() == []


def test_an_account_that_an_administrator_makes_needs_no_proof(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    user = make_user(app, role=Role.STAFF)
    strict = make_app(login_needs_verified_email=True)
    assert Api(strict, token_for(strict, user)).get("/users/me").status_code == 200
    assert user.email_verified_at is not None
    assert user.email_verified_at <= now()

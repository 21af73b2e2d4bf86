"""What is kept on a person: shown to its owner in one piece, and forgotten at a removal."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.core.database import now
from stockroom.core.permissions import Role
from stockroom.core.personal_data import bound_personal_data
from stockroom.core.transaction import transaction
from stockroom.mail import service as mails
from stockroom.mail.models import Mail
from stockroom.mail.sending import send_due
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.products import product_body
from tests.factories.users import PASSWORD, make_user, token_for
from tests.outbox.events import all_events
from tests.users.removing import forget_removed_later, stored
from tests.verification.letters import token_to
from tests.verification.proving import ADA, BOB, change

CAROL = "carol@example.com"
ADDRESS = {"REMOTE_ADDR": "203.0.113.77"}


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app, email="ada@example.com", full_name="Ada Lovelace", role=Role.STAFF)


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


def templates(app: Flask) -> list[str]:
    """Of all mails."""
    with app.app_context():
        return sorted(mail.template for mail in mails.newest())


def parts(api: Api) -> dict[str, Any]:
    exported: dict[str, Any] = api.get("/users/me/export").get_json()["parts"]
    return exported


def move_to_bob_and_ask_for_carol(app: Flask, ada: Api, nobody: Api) -> None:
    change(ada, BOB)
    nobody.post("/auth/email/confirm", json={"token": token_to(app, BOB, "change")})
    change(ada, CAROL)


def test_an_export_has_a_part_of_every_feature_that_keeps_something(app: Flask, ada: Api) -> None:
    with app.app_context():
        expected = [part.name for part in bound_personal_data()]
    assert [*parts(ada)] == expected
    assert {"account", "sessions", "events", "mails"} <= {*expected}


def test_an_export_shows_what_is_kept_and_no_secret(user: User, ada: Api) -> None:
    ada.post("/products", json=product_body(), environ_base=ADDRESS)
    exported = parts(ada)
    assert exported["account"]["full_name"] == "Ada Lovelace"
    assert [login["device"] for login in exported["sessions"]] == ["pytest"]
    created = next(it for it in exported["events"] if it["type"] == "product.created")
    assert created["address"] == "203.0.113.77"
    assert user.password_hash not in json.dumps(exported)


def test_an_export_is_an_event(app: Flask, user: User, ada: Api) -> None:
    parts(ada)
    last = all_events(app)[-1]
    assert (last.type, last.subject, last.actor_id) == ("user.exported", user.id, user.id)


def test_nobody_gets_the_data_of_another(ada: Api, staff: Api) -> None:
    assert "Ada Lovelace" not in json.dumps(parts(staff))


def test_nobody_is_told_where_an_administrator_acted_from(admin: Api, user: User, ada: Api) -> None:
    admin.patch(f"/users/{user.id}", json={"full_name": "Ada"}, if_match="*", environ_base=ADDRESS)
    assert "user.updated" in {event["type"] for event in parts(ada)["events"]}
    assert ADDRESS["REMOTE_ADDR"] not in json.dumps(parts(ada))


def test_a_removal_leaves_nothing_on_the_person(app: Flask, user: User, ada: Api) -> None:
    ada.post("/products", json=product_body(), environ_base=ADDRESS)
    ada.post(
        "/auth/password/change",
        json={"current_password": PASSWORD, "new_password": "quite another passphrase"},
    )
    for known in ("ada@example.com", "Ada Lovelace", "203.0.113.77", "pytest"):
        assert known in stored(app)
    assert ada.delete("/users/me", if_match="*", environ_base=ADDRESS).status_code == 204
    for known in ("ada@example.com", "Ada Lovelace", "203.0.113.77", "pytest", user.password_hash):
        assert known not in stored(app)


def test_an_export_has_the_mails_to_every_address_of_the_person(
    app: Flask, ada: Api, nobody: Api
) -> None:
    move_to_bob_and_ask_for_carol(app, ada, nobody)
    assert [mail["address"] for mail in parts(ada)["mails"]] == [ADA, BOB, ADA, BOB, CAROL]


def test_a_removal_leaves_no_mail_to_any_address_of_the_person(
    app: Flask, ada: Api, nobody: Api
) -> None:
    move_to_bob_and_ask_for_carol(app, ada, nobody)
    ada.delete("/users/me", if_match="*")
    assert "@example.com" not in stored(app)


def test_a_removal_leaves_no_mail_to_an_address_that_an_administrator_took_away(
    app: Flask, admin: Api, user: User
) -> None:
    admin.patch(f"/users/{user.id}", json={"email": BOB}, if_match="*")
    assert ADA in stored(app)
    admin.delete(f"/users/{user.id}", if_match="*")
    assert ADA not in stored(app)


def test_of_a_mail_that_was_just_sent_a_removal_keeps_a_digest_for_two_hours(
    app: Flask, ada: Api
) -> None:
    change(ada)
    with app.app_context():
        send_due()
    ada.delete("/users/me", if_match="*")
    assert templates(app) == ["verification/change", "verification/change_announced"]
    assert "@example.com" not in stored(app)
    forget_removed_later(app)
    assert templates(app) == []


def test_a_removal_keeps_nothing_of_mails_that_were_not_sent_within_the_hour(
    app: Flask, ada: Api
) -> None:
    change(ada)
    with app.app_context():
        send_due()
        with transaction() as session:
            session.execute(update(Mail).values(created_at=now() - timedelta(hours=1)))
    change(ada)
    ada.delete("/users/me", if_match="*")
    assert templates(app) == []


def test_a_removal_keeps_what_was_done_and_by_which_account(
    app: Flask, user: User, ada: Api
) -> None:
    created = ada.post("/products", json=product_body()).get_json()
    ada.delete("/users/me", if_match="*")
    event = next(it for it in all_events(app) if it.type == "product.created")
    assert (event.subject, event.actor_id) == (UUID(created["id"]), user.id)


def test_nobody_can_be_found_or_registered_in_the_place_of_who_was_removed(
    app: Flask, admin: Api, nobody: Api, user: User, ada: Api
) -> None:
    ada.delete("/users/me", if_match="*")
    assert_problem(admin.get(f"/users/{user.id}"), 404, "user-not-found")
    assert user.email not in admin.get("/users").text
    assert str(user.id) not in admin.get("/users").text
    tombstone = {"email": f"{user.id}@removed.invalid", "password": PASSWORD}
    assert_problem(nobody.post("/auth/login", json=tombstone), 401, "bad-credentials")
    assert_problem(nobody.post("/auth/register", json=tombstone), 422, "validation-error")


def test_a_removal_keeps_where_an_administrator_acted_from(
    app: Flask, admin: Api, user: User
) -> None:
    admin.patch(f"/users/{user.id}", json={"full_name": "Ada"}, if_match="*", environ_base=ADDRESS)
    admin.delete(f"/users/{user.id}", if_match="*", environ_base=ADDRESS)
    changed, removed = all_events(app)[-2:]
    assert (changed.type, removed.type) == ("user.updated", "user.removed")
    assert changed.address == removed.address == "203.0.113.77"

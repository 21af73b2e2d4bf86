"""All processes know of the keys, without a query for each request."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.auth import signing
from stockroom.auth.models import FIRST_KEY_ID
from stockroom.auth.signing import KeyRing, current_key, find_key
from stockroom.core.transaction import reading
from stockroom.outbox.models import Event
from stockroom.outbox.types import EventType
from tests.api import Api
from tests.auth.signing_keys.keys import FIRST, assert_refused, kid, rotate, with_header, works
from tests.factories.users import make_user, token_for
from tests.statements import statements
from tests.threads import at_once


def test_another_process_takes_tokens_of_a_key_that_it_has_not_read(
    app: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(app), make_app()
    assert works(other, token_for(app, user))
    rotate(app, revoke=True)
    # As if a second had passed since the other one has read the keys.
    monkeypatch.setattr(signing, "SOONEST_RELOAD_SECONDS", 0)
    assert works(other, token_for(app, user))


def test_another_process_learns_of_a_rotation_by_itself(
    app: Flask, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(app), make_app()
    old = token_for(other, user)
    assert works(other, old)
    key_id = rotate(app, revoke=True)
    monkeypatch.setattr(KeyRing.keys, "__defaults__", (0,))
    assert_refused(other, old)
    assert kid(token_for(other, user)) == key_id


def test_a_request_costs_one_query_for_its_session_and_none_for_its_key(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    rotate(app)
    # Where nothing is prepared, each query is sent as it is.
    shop = make_app(database_prepare=False)
    api = Api(shop, token_for(shop, make_user(app)))
    api.get("/users/me")
    with statements(shop) as seen:
        assert api.get("/users/me").status_code == 200
    assert not [statement for statement in seen if "signing_keys" in statement]
    assert len([statement for statement in seen if "JOIN sessions" in statement]) == 1


def test_keys_that_nobody_knows_do_not_cost_a_query_each(app: Flask) -> None:
    token = token_for(app, make_user(app))
    forged = [with_header(app, token, kid=uuid4().hex) for _ in range(30)]
    with statements(app) as seen:
        statuses = {Api(app, text).get("/products").status_code for text in forged}
    assert statuses == {401}
    assert len(seen) <= 2


def test_while_one_thread_reads_the_keys_the_others_go_on(app: Flask) -> None:
    with app.app_context():
        ring = KeyRing()
        known = ring.keys()
        with ring._turn:  # noqa: SLF001 - as held by a thread that reads
            assert ring.keys(0) is known
        assert ring.keys(0) is not known


def test_rotations_at_once_come_one_after_the_other(app: Flask) -> None:
    def act(_: int) -> UUID:
        with app.app_context():
            return signing.rotate().id

    made = at_once(act, range(8))
    with app.app_context():
        keys = signing.list_keys()
    assert {key.id for key in keys} == {*made, FIRST_KEY_ID}
    assert [key.retired_at is None for key in keys].count(True) == 1


def test_a_rotation_is_an_event_without_a_secret(app: Flask) -> None:
    key_id = rotate(app)
    with app.app_context(), reading() as session:
        of_type = Event.type == EventType.SIGNING_KEY_ROTATED
        (rotated,) = session.scalars(select(Event).where(of_type))
    assert (rotated.subject.hex, rotated.data) == (key_id, {"revoked": False})


def test_the_representation_of_a_key_tells_no_secret(app: Flask) -> None:
    with app.app_context():
        assert "secret" not in repr(current_key())
        assert find_key(FIRST) == current_key()

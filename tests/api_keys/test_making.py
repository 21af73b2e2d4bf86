"""Making a key: what it may be asked for, and who is told of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.api_keys import service
from stockroom.auth.models import LoginSession
from stockroom.core.database import now
from stockroom.core.encryption import decrypt
from stockroom.core.transaction import reading, transaction
from stockroom.mail import repository as mails
from stockroom.mail.rendering import parameters, render
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.api_keys.making import NEW, NOWHERE, create
from tests.factories.api_keys import make_key, stored_key
from tests.factories.users import token_for
from tests.outbox.events import last_event
from tests.threads import at_once


def test_a_new_key_lets_its_owner_in(app: Flask, owner: Api, user: User) -> None:
    created = create(owner)
    account = Api(app, key=created["key"]).get("/users/me")
    assert account.get_json()["id"] == str(user.id)


def test_a_key_is_shown_once(owner: Api) -> None:
    key = create(owner).pop("key")
    answer = owner.get("/auth/api-keys").text
    assert key not in answer
    assert key[:8] in answer


def test_a_key_is_stored_as_its_digest_alone(app: Flask, user: User) -> None:
    issued = make_key(app, user)
    row = stored_key(app, issued.api_key.id)
    kept = [str(value) for name, value in vars(row).items() if name != "_sa_instance_state"]
    assert issued.key not in " ".join(kept)
    assert len(row.digest) == 64


@pytest.mark.parametrize(
    "scopes",
    [None, [], "account:own", ["account:own", "account:own"], ["account:secure"], ["everything"],
     ["ACCOUNT:OWN"], [7], [None], [["account:own"]], ["account:own", "account:secure"]],
    ids=str,
)  # fmt: skip
def test_scopes_that_no_key_can_have_are_refused(admin: Api, scopes: object) -> None:
    response = admin.post("/auth/api-keys", json=NEW | {"scopes": scopes})
    problem = assert_problem(response, 422, "validation-error")
    assert all(field.startswith("scopes") for field in problem["errors"])


def test_a_scope_that_the_owner_s_role_has_not_is_refused_by_name(owner: Api) -> None:
    scopes = ["account:own", "catalogue:write"]
    response = owner.post("/auth/api-keys", json=NEW | {"scopes": scopes})
    problem = assert_problem(response, 422, "validation-error")
    assert problem["errors"] == {"scopes": ["Your role does not have: catalogue:write."]}


@pytest.mark.parametrize(
    "expires_in", [timedelta(seconds=-1), timedelta(days=-400), timedelta(days=5 * 366)]
)
def test_a_time_that_is_past_or_too_far_off_is_refused(owner: Api, expires_in: timedelta) -> None:
    body = NEW | {"expires_at": (now() + expires_in).isoformat()}
    problem = assert_problem(owner.post("/auth/api-keys", json=body), 422, "validation-error")
    assert [*problem["errors"]] == ["expires_at"]


def test_a_key_expires_when_its_owner_says(owner: Api) -> None:
    moment = now() + timedelta(days=30)
    created = create(owner, expires_at=moment.isoformat())
    assert datetime.fromisoformat(created["expires_at"]) == moment


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, NEW | {"name": " "}, NEW | {"key": "sr_x"}, NEW | {"name": "x" * 101},
     NEW | {"user_id": NOWHERE}],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(owner: Api, body: dict[str, Any]) -> None:
    assert_problem(owner.post("/auth/api-keys", json=body), 422, "validation-error")


def test_an_account_has_a_bounded_number_of_keys(
    app: Flask, owner: Api, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_KEYS", 2)
    create(owner)
    second = create(owner)
    assert_problem(owner.post("/auth/api-keys", json=NEW), 409, "too-many-api-keys")
    owner.delete(f"/auth/api-keys/{second['id']}")
    create(owner)


def test_the_bound_holds_for_keys_that_are_made_at_once(
    app: Flask, owner: Api, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_KEYS", 2)
    token = token_for(app, user)
    apis = [Api(app, token) for _ in range(5)]
    answers = at_once(lambda api: api.post("/auth/api-keys", json=NEW).status_code, apis)
    assert sorted(answers) == [201, 201, 409, 409, 409]


def test_a_key_needs_a_recent_login(app: Flask, owner: Api) -> None:
    with app.app_context(), transaction() as session:
        long_ago = now() - timedelta(days=1)
        session.execute(update(LoginSession).values(authenticated_at=long_ago))
    assert_problem(owner.post("/auth/api-keys", json=NEW), 403, "recent-login-required")
    assert owner.get("/auth/api-keys").status_code == 200


def test_a_new_key_is_an_event(app: Flask, owner: Api, user: User) -> None:
    created = create(owner)
    event = last_event(app)
    assert (event.type, str(event.subject)) == ("api_key.created", created["id"])
    assert event.data == {"owner": str(user.id), "scopes": ["account:own"]}
    assert (event.actor_id, event.key_id, event.is_public) == (user.id, None, False)


def test_the_owner_is_told_of_a_new_key_by_mail(app: Flask, owner: Api, user: User) -> None:
    key = create(owner, name="Till <3>")["key"]
    with app.app_context(), reading() as session:
        (mail,) = mails.newest(session, None, 10)
        params = parameters(decrypt(mail.params or ""))
    letter = render(mail.template, params | {"base_url": "https://shop.example"})
    assert mail.address == user.email
    assert f"Till <3> ({key[:8]}…)" in letter.text
    assert "expires: never" in letter.text
    assert key not in letter.text + letter.html

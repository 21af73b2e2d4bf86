"""Keys: made, listed and revoked by their owners."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.api_keys import service
from stockroom.auth.models import LoginSession
from stockroom.core.database import now
from stockroom.core.encryption import decrypt
from stockroom.core.permissions import Permission, Role
from stockroom.core.transaction import reading, transaction
from stockroom.mail import repository as mails
from stockroom.mail.rendering import parameters, render
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.api_keys import make_key, set_key, stored_key
from tests.factories.users import make_user, token_for
from tests.outbox.events import last_event
from tests.threads import at_once

NEW = {"name": "Till 3", "scopes": ["account:own"]}
NOWHERE = "01980000-0000-7000-8000-000000000000"


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def owner(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


def create(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("/auth/api-keys", json=NEW | changes)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.get_json()
    return created


def items(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api.get("/auth/api-keys").get_json()["items"]
    return listed


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


def test_keys_are_listed_newest_first(app: Flask, owner: Api, user: User) -> None:
    for name in "abc":
        make_key(app, user, name=name)
    listed = items(owner)
    assert [item["name"] for item in listed] == ["c", "b", "a"]
    assert listed[0].keys() == {
        "id",
        "name",
        "prefix",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
    }


def test_keys_come_in_pages(app: Flask, owner: Api, user: User) -> None:
    for _ in range(3):
        make_key(app, user)
    first = owner.get("/auth/api-keys?limit=2&count=true")
    link = first.headers["Link"].partition(">")[0].lstrip("<")
    assert first.get_json()["total"] == 3
    assert len(owner.get(link).get_json()["items"]) == 1


def test_nobody_else_s_key_is_listed(app: Flask, admin: Api, user: User) -> None:
    make_key(app, user)
    assert items(admin) == []


def test_a_key_that_has_expired_is_listed_until_it_is_revoked(
    app: Flask, owner: Api, user: User
) -> None:
    key_id = make_key(app, user).api_key.id
    set_key(app, key_id, expires_at=now())
    assert [item["id"] for item in items(owner)] == [str(key_id)]
    assert owner.delete(f"/auth/api-keys/{key_id}").status_code == 204
    assert items(owner) == []


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


def test_a_revoked_key_is_gone(app: Flask, owner: Api) -> None:
    created = create(owner)
    response = owner.delete(f"/auth/api-keys/{created['id']}")
    assert (response.status_code, response.data) == (204, b"")
    assert items(owner) == []
    assert_problem(Api(app, key=created["key"]).get("/users/me"), 401, "unauthenticated")


def test_a_key_is_revoked_once(owner: Api) -> None:
    path = f"/auth/api-keys/{create(owner)['id']}"
    owner.delete(path)
    assert_problem(owner.delete(path), 404, "api-key-not-found")


def test_the_key_of_somebody_else_is_not_found(app: Flask, admin: Api, user: User) -> None:
    issued = make_key(app, user)
    response = admin.delete(f"/auth/api-keys/{issued.api_key.id}")
    assert_problem(response, 404, "api-key-not-found")
    assert Api(app, key=issued.key).get("/users/me").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", f"/{NOWHERE}")])
def test_keys_are_for_who_is_logged_in(nobody: Api, method: str, path: str) -> None:
    assert_problem(nobody.request(method, f"/auth/api-keys{path}"), 401, "unauthenticated")


def test_a_new_key_is_an_event(app: Flask, owner: Api, user: User) -> None:
    created = create(owner)
    event = last_event(app)
    assert (event.type, str(event.subject)) == ("api_key.created", created["id"])
    assert event.data == {"owner": str(user.id), "scopes": ["account:own"]}
    assert (event.actor_id, event.key_id, event.is_public) == (user.id, None, False)


def test_a_revoked_key_is_an_event(app: Flask, owner: Api, user: User) -> None:
    created = create(owner)
    owner.delete(f"/auth/api-keys/{created['id']}")
    event = last_event(app)
    assert (event.type, str(event.subject)) == ("api_key.revoked", created["id"])
    assert event.data == {"owner": str(user.id), "scopes": ["account:own"]}


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


def test_what_a_key_does_carries_its_id(app: Flask) -> None:
    issued = make_key(app, make_user(app, role=Role.ADMIN), [Permission.USERS_MANAGE])
    new = {"email": "ada@example.com", "password": "correct horse battery staple"}
    assert Api(app, key=issued.key).post("/users", json=new).status_code == 201
    event = last_event(app)
    assert (event.type, event.key_id) == ("user.created", issued.api_key.id)
    assert event.session_id is None


def test_a_browser_of_a_configured_origin_may_send_a_key(make_app: Callable[..., Flask]) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key",
    }
    app = make_app(cors_origins=["https://shop.example"])
    response = Api(app).request("OPTIONS", "/users/me", headers=asked)
    assert response.headers["Access-Control-Allow-Headers"].lower() == "x-api-key"

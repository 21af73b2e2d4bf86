"""Keys as their owners see them: listed and revoked."""

from typing import Any

import pytest
from flask import Flask

from stockroom.core.database import now
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.api_keys.making import NOWHERE, create
from tests.factories.api_keys import make_key, set_key
from tests.outbox.events import last_event


def items(api: Api) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api.get("/auth/api-keys").get_json()["items"]
    return listed


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


def test_a_revoked_key_is_an_event(app: Flask, owner: Api, user: User) -> None:
    created = create(owner)
    owner.delete(f"/auth/api-keys/{created['id']}")
    event = last_event(app)
    assert (event.type, str(event.subject)) == ("api_key.revoked", created["id"])
    assert event.data == {"owner": str(user.id), "scopes": ["account:own"]}

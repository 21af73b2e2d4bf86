"""Sessions: listed, ended one by one, or all at once."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from stockroom.auth.models import LoginSession
from stockroom.auth.sessions import remove_old_sessions
from stockroom.config import Settings
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.users import make_user, token_for

NOWHERE = "01980000-0000-7000-8000-000000000000"


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def devices(app: Flask, user: User) -> list[Api]:
    """Three sessions of one account, the oldest first."""
    return [Api(app, token_for(app, user)) for _ in range(3)]


def alive(devices: list[Api]) -> list[bool]:
    return [device.get("/users/me").status_code == 200 for device in devices]


def test_sessions_are_listed_newest_first(devices: list[Api]) -> None:
    items = devices[0].get("/auth/sessions").get_json()["items"]
    assert [item["is_current"] for item in items] == [False, False, True]
    times = [item["created_at"] for item in items]
    assert times == sorted(times, reverse=True)
    assert items[0].keys() == {
        "id",
        "device",
        "address",
        "created_at",
        "last_used_at",
        "expires_at",
        "is_current",
    }


def test_sessions_come_in_pages(devices: list[Api]) -> None:
    first = devices[0].get("/auth/sessions?limit=2&count=true")
    link = first.headers["Link"].partition(">")[0].lstrip("<")
    second = devices[0].get(link).get_json()
    assert first.get_json()["total"] == 3
    assert [item["is_current"] for item in second["items"]] == [True]
    assert second["next_cursor"] is None


def test_nobody_else_s_session_is_listed(devices: list[Api], staff: Api) -> None:
    assert len(staff.get("/auth/sessions").get_json()["items"]) == 1


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", [False, True, True]),
        ("?scope=local", [False, True, True]),
        ("?scope=others", [True, False, False]),
        ("?scope=all", [False, False, False]),
    ],
)
def test_a_logout_ends_the_sessions_of_its_scope(
    devices: list[Api], staff: Api, query: str, left: list[bool]
) -> None:
    response = devices[0].post(f"/auth/logout{query}")
    assert (response.status_code, response.data) == (204, b"")
    assert alive(devices) == left
    assert alive([staff]) == [True]


def test_an_unknown_scope_is_refused(devices: list[Api]) -> None:
    assert_problem(devices[0].post("/auth/logout?scope=mine"), 422, "validation-error")
    assert alive(devices) == [True, True, True]


def test_ended_sessions_are_no_longer_listed(devices: list[Api]) -> None:
    devices[1].post("/auth/logout")
    assert len(devices[0].get("/auth/sessions").get_json()["items"]) == 2


def test_one_session_can_be_ended(devices: list[Api]) -> None:
    newest = devices[0].get("/auth/sessions").get_json()["items"][0]["id"]
    response = devices[0].delete(f"/auth/sessions/{newest}")
    assert (response.status_code, response.data) == (204, b"")
    assert alive(devices) == [True, True, False]


def test_a_session_ends_once(devices: list[Api]) -> None:
    newest = devices[0].get("/auth/sessions").get_json()["items"][0]["id"]
    devices[0].delete(f"/auth/sessions/{newest}")
    assert_problem(devices[0].delete(f"/auth/sessions/{newest}"), 404, "session-not-found")


def test_the_session_of_another_account_is_not_found(devices: list[Api], admin: Api) -> None:
    (theirs,) = admin.get("/auth/sessions").get_json()["items"]
    response = devices[0].delete(f"/auth/sessions/{theirs['id']}")
    assert_problem(response, 404, "session-not-found")
    assert alive([admin]) == [True]


def test_an_administrator_cannot_end_it_here_either(devices: list[Api], admin: Api) -> None:
    theirs = devices[0].get("/auth/sessions").get_json()["items"][0]["id"]
    assert_problem(admin.delete(f"/auth/sessions/{theirs}"), 404, "session-not-found")
    assert alive(devices) == [True, True, True]


def test_a_session_that_never_was_is_not_found(devices: list[Api]) -> None:
    assert_problem(devices[0].delete(f"/auth/sessions/{NOWHERE}"), 404, "session-not-found")


@pytest.mark.parametrize("path", ["x", "1", "%00", "../users"])
def test_what_is_no_id_is_not_found(devices: list[Api], path: str) -> None:
    assert_problem(devices[0].delete(f"/auth/sessions/{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/auth/sessions"), ("POST", "/auth/logout"),
                         ("DELETE", f"/auth/sessions/{NOWHERE}")]
)  # fmt: skip
def test_sessions_are_for_who_is_logged_in(nobody: Api, method: str, path: str) -> None:
    assert_problem(nobody.request(method, path), 401, "unauthenticated")


def test_sessions_are_forgotten_as_long_after_their_end_as_events(
    app: Flask, devices: list[Api], settings: Settings
) -> None:
    devices[0].post("/auth/logout")
    long_ago = now() - timedelta(days=settings.event_days + 1)
    with app.app_context():
        assert remove_old_sessions() == 0
        with transaction() as session:
            is_over = LoginSession.ended_at.is_not(None)
            session.execute(update(LoginSession).where(is_over).values(ended_at=long_ago))
        assert remove_old_sessions() == 1
    assert alive(devices) == [False, True, True]

"""Refresh tokens: rotated, with a grace of one step, and the session's end for an older one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from stockroom.auth.models import LoginSession
from stockroom.core.database import now
from stockroom.core.transaction import reading, transaction
from stockroom.mail.repository import newest
from stockroom.users import service as users
from stockroom.users.models import User
from tests.api import Api, assert_problem
from tests.factories.users import log_in, make_user
from tests.locks import waiting
from tests.outbox.events import last_event
from tests.threads import until


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def first(app: Flask, user: User) -> str:
    """The first refresh token of a session."""
    return log_in(app, user)["refresh_token"]


def exchange(api: Api, token: str) -> TestResponse:
    return api.post("/auth/refresh", json={"refresh_token": token})


def next_token(api: Api, token: str) -> str:
    response = exchange(api, token)
    assert response.status_code == 200, response.text
    answer: str = response.get_json()["refresh_token"]
    return answer


def open_sessions(app: Flask) -> list[LoginSession]:
    with app.app_context(), reading() as session:
        return [*session.scalars(select(LoginSession).where(LoginSession.ended_at.is_(None)))]


def test_an_exchange_gives_tokens_that_work(app: Flask, nobody: Api, first: str) -> None:
    tokens = exchange(nobody, first).get_json()
    assert Api(app, tokens["access_token"]).get("/users/me").status_code == 200
    assert exchange(nobody, tokens["refresh_token"]).status_code == 200


def test_an_exchange_stays_in_its_session(app: Flask, nobody: Api, first: str) -> None:
    before = open_sessions(app)
    next_token(nobody, next_token(nobody, first))
    assert [session.id for session in open_sessions(app)] == [before[0].id]


def test_a_client_that_lost_the_answer_may_ask_again(nobody: Api, first: str) -> None:
    lost = exchange(nobody, first).get_json()["refresh_token"]
    again = exchange(nobody, first)
    assert again.status_code == 200
    assert exchange(nobody, again.get_json()["refresh_token"]).status_code == 200
    assert exchange(nobody, lost).status_code == 200


def test_the_grace_is_of_one_step(nobody: Api, first: str) -> None:
    next_token(nobody, next_token(nobody, first))
    assert_problem(exchange(nobody, first), 401, "refresh-token-reused")


def test_an_older_token_ends_the_session_for_everyone(app: Flask, nobody: Api, first: str) -> None:
    second = exchange(nobody, first).get_json()
    newest = exchange(nobody, second["refresh_token"]).get_json()
    exchange(nobody, first)
    assert open_sessions(app) == []
    assert_problem(exchange(nobody, newest["refresh_token"]), 401, "session-ended")
    response = Api(app, newest["access_token"]).get("/users/me")
    assert_problem(response, 401, "unauthenticated")


def test_of_an_older_token_the_owner_is_told(
    app: Flask, nobody: Api, user: User, first: str
) -> None:
    next_token(nobody, next_token(nobody, first))
    exchange(nobody, first)
    assert last_event(app).type == "user.refresh_token_reused"
    assert last_event(app).actor_id == last_event(app).subject == user.id
    with app.app_context(), reading() as session:
        (mail,) = newest(session, None, 5)
    assert (mail.address, mail.template) == (user.email, "auth/token_reused")


def test_an_older_token_leaves_other_sessions_alone(
    app: Flask, nobody: Api, user: User, first: str
) -> None:
    other = log_in(app, user)
    next_token(nobody, next_token(nobody, first))
    exchange(nobody, first)
    assert Api(app, other["access_token"]).get("/users/me").status_code == 200
    assert len(open_sessions(app)) == 1


def test_fifty_exchanges_of_one_token_at_once_leave_one_living_session(
    app: Flask, first: str
) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(lambda _: exchange(Api(app), first), range(50))]
    assert {answer.status_code for answer in answers} == {200}
    (session,) = open_sessions(app)
    assert session.counter == 1
    for answer in answers[:3]:
        access = answer.get_json()["access_token"]
        assert Api(app, access).get("/users/me").status_code == 200


def test_an_exchange_waits_for_the_one_under_way(app: Flask, nobody: Api, first: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            session.execute(update(LoginSession).values(counter=2))
            late = pool.submit(exchange, nobody, first)
            until(waiting)
        assert_problem(late.result(), 401, "refresh-token-reused")


def test_of_exchanges_and_a_thief_at_once_none_is_a_server_error(
    app: Flask, nobody: Api, first: str
) -> None:
    newest = next_token(nobody, next_token(nobody, first))
    tokens = [first, newest] * 10
    with ThreadPoolExecutor(20) as pool:
        answers = [*pool.map(lambda token: exchange(Api(app), token).status_code, tokens)]
    assert set(answers) <= {200, 401}
    assert open_sessions(app) == []


def test_a_session_that_was_ended_gives_no_tokens(app: Flask, nobody: Api, user: User) -> None:
    tokens = log_in(app, user)
    Api(app, tokens["access_token"]).post("/auth/logout")
    assert_problem(exchange(nobody, tokens["refresh_token"]), 401, "session-ended")


def test_a_session_that_has_expired_gives_no_tokens(app: Flask, nobody: Api, first: str) -> None:
    with app.app_context(), transaction() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(LoginSession).values(expires_at=past))
    assert_problem(exchange(nobody, first), 401, "session-ended")


def test_an_exchange_does_not_make_a_session_longer(app: Flask, nobody: Api, first: str) -> None:
    (before,) = open_sessions(app)
    next_token(nobody, first)
    (after,) = open_sessions(app)
    assert after.expires_at == before.expires_at
    assert after.last_used_at > before.last_used_at


def test_an_account_that_is_not_active_gets_no_tokens(
    app: Flask, nobody: Api, user: User, first: str
) -> None:
    with app.app_context():
        users.change(user.id, {"is_active": False})
    assert_problem(exchange(nobody, first), 401, "session-ended")


def test_an_account_that_was_removed_gets_no_tokens(
    app: Flask, nobody: Api, user: User, first: str
) -> None:
    with app.app_context():
        users.remove(user.id)
    assert_problem(exchange(nobody, first), 401, "session-ended")


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": None},
                                  {"refresh_token": "x" * 5000}])  # fmt: skip
def test_a_body_without_a_token_is_a_422(nobody: Api, body: dict[str, str]) -> None:
    assert_problem(nobody.post("/auth/refresh", json=body), 422, "validation-error")

"""Login, and that it tells nobody who has an account."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Flask

from stockroom.auth import service as auth
from stockroom.auth.errors import BadCredentials
from stockroom.auth.service import log_in
from stockroom.auth.sessions import Device, open_session
from stockroom.core.database import new_id
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from stockroom.users.passwords import hash_password
from tests.api import Api, assert_problem
from tests.auth.overtaking import meanwhile
from tests.factories.users import PASSWORD, make_user
from tests.locks import someone_waits
from tests.threads import until

CORES = len(os.sched_getaffinity(0))
ADA = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parameters of each hash that a password is compared with."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hashed: str, password: str) -> bool:
        seen.append(hashed.rsplit("$", 2)[0])
        return verify(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return seen


def test_a_login_gives_tokens_that_must_not_be_stored(app: Flask, nobody: Api) -> None:
    make_user(app, email="ada@example.com")
    response = nobody.post("/auth/login", json=ADA)
    tokens = response.get_json()
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    assert response.headers["Cache-Control"] == "no-store"
    assert Api(app, tokens["access_token"]).get("/users/me").get_json()["email"] == ADA["email"]


def refusal(api: Api, email: str, password: str = PASSWORD) -> dict[str, Any]:
    response = api.post("/auth/login", json={"email": email, "password": password})
    problem = assert_problem(response, 401, "bad-credentials")
    del problem["request_id"]
    return problem | {"headers": sorted(name for name, _ in response.headers)}


def test_every_bad_login_gets_the_same_answer(app: Flask, nobody: Api) -> None:
    make_user(app, email="ada@example.com")
    idle = make_user(app, email="idle@example.com")
    with app.app_context():
        users.change(idle.id, {"is_active": False})
    answers = [
        refusal(nobody, "ada@example.com", "wrong password"),
        refusal(nobody, "nobody@example.com"),
        refusal(nobody, "no address"),
        refusal(nobody, "idle@example.com"),
        refusal(nobody, "idle@example.com", "wrong password"),
    ]
    assert all(answer == answers[0] for answer in answers)


def test_an_unknown_address_costs_the_same_hashing_as_a_known_one(
    app: Flask, nobody: Api, verified: list[str]
) -> None:
    make_user(app, email="ada@example.com")
    refusal(nobody, "ada@example.com", "wrong password")
    refusal(nobody, "nobody@example.com", "wrong password")
    assert verified == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


def test_a_hash_of_other_parameters_is_replaced_at_login(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    user = make_user(app, email="ada@example.com")
    costlier = make_app(password_memory_kib=16, password_passes=2)
    assert Api(costlier).post("/auth/login", json=ADA).status_code == 200
    with app.app_context():
        rehashed = users.get(user.id).password_hash
    assert rehashed.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert Api(costlier).post("/auth/login", json=ADA).status_code == 200
    with app.app_context():
        assert users.get(user.id).password_hash == rehashed


def test_a_failed_login_does_not_replace_the_hash(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    user = make_user(app, email="ada@example.com")
    refusal(Api(make_app(password_memory_kib=16)), "ada@example.com", "wrong password")
    with app.app_context():
        assert users.get(user.id).password_hash == user.password_hash


def test_there_are_at_most_as_many_hashes_at_once_as_cores(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[int] = []
    counts: list[int] = []
    crowd = threading.Event()

    def slow(*_: object) -> bool:
        under_way.append(1)
        counts.append(len(under_way))
        if len(under_way) > CORES:
            crowd.set()
        # Long enough for others to join, if nothing kept them from it.
        crowd.wait(0.1)
        under_way.pop()
        raise VerificationError

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    with ThreadPoolExecutor(CORES + 4) as pool:
        logins = [pool.submit(Api(app).post, "/auth/login", json=ADA) for _ in range(CORES + 4)]
        assert {login.result().status_code for login in logins} == {401}
    assert max(counts) == CORES


def test_no_session_is_opened_for_an_account_that_is_not_there(app_context: None) -> None:
    gone = User(id=new_id(), email="gone@example.com", password_hash="", role=Role.CUSTOMER)
    with pytest.raises(BadCredentials), transaction() as session:
        open_session(session, gone, Device(None, None))


def test_a_session_remembers_device_and_address(app: Flask, nobody: Api) -> None:
    make_user(app, email="ada@example.com")
    tokens = nobody.post(
        "/auth/login",
        json=ADA,
        headers={"User-Agent": "Shop/1.0 " + "x" * 500},
        environ_base={"REMOTE_ADDR": "2001:db8::1"},
    ).get_json()
    (session,) = Api(app, tokens["access_token"]).get("/auth/sessions").get_json()["items"]
    assert session["device"].startswith("Shop/1.0 xxx")
    assert (len(session["device"]), session["address"]) == (300, "2001:db8::1")


@pytest.mark.parametrize("address", ["", "x" * 200, "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535"])
def test_whatever_a_proxy_gives_for_an_address_keeps_nobody_out(
    app: Flask, nobody: Api, address: str
) -> None:
    make_user(app, email="ada@example.com")
    response = nobody.post("/auth/login", json=ADA, environ_base={"REMOTE_ADDR": address})
    assert response.status_code == 200


def test_the_service_logs_in_without_a_request(app: Flask) -> None:
    user = make_user(app, role=Role.STAFF)
    with app.app_context():
        grant = log_in(user.email, PASSWORD, Device(None, None))
    assert (grant.user_id, grant.counter) == (user.id, 0)


@pytest.mark.parametrize("act", ["another password", "deactivated", "removed"])
def test_a_login_under_way_does_not_survive_the_end_of_its_password(
    app: Flask, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    user = make_user(app)
    acts: dict[str, Callable[[], object]] = {
        "another password": lambda: auth.set_password(user.id, "quite another passphrase"),
        "deactivated": lambda: users.change(user.id, {"is_active": False}),
        "removed": lambda: users.remove(user.id),
    }
    meanwhile(monkeypatch, acts[act])
    body = {"email": user.email, "password": PASSWORD}
    assert_problem(Api(app).post("/auth/login", json=body), 401, "bad-credentials")


def test_a_login_waits_for_a_change_of_its_password(app: Flask) -> None:
    user = make_user(app)
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), transaction() as session:
            changed = session.get_one(User, user.id)
            auth.replace_password(session, changed, hash_password("quite another passphrase"))
            session.flush()
            body = {"email": user.email, "password": PASSWORD}
            login = pool.submit(Api(app).post, "/auth/login", json=body)
            until(lambda: someone_waits(app))
        assert_problem(login.result(), 401, "bad-credentials")


def test_a_login_is_two_questions_and_one_message(app: Flask, statements: list[str]) -> None:
    make_user(app, email="ada@example.com")
    Api(app).post("/auth/login", json=ADA)
    statements.clear()
    assert Api(app).post("/auth/login", json=ADA).status_code == 200
    assert len([it for it in statements if not it.startswith("PREPARE")]) == 3

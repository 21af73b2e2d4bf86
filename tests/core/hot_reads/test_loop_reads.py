"""Who calls is asked for by the loop as well, where that was not known for a second."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from wsgiref.types import WSGIEnvironment

import pytest
from flask import Flask
from limits import parse
from werkzeug.test import EnvironBuilder

from stockroom.auth import sessions, signing
from stockroom.core.callers.token_header import token_finder
from stockroom.core.hot_reads.at_once import AT_ONCE, Answers, AtOnce, MustAsk, WouldWait
from stockroom.core.permissions import Role
from stockroom.extensions import limiter
from stockroom.users.models import User
from tests.api import PREFIX, Api
from tests.core.hot_reads.asking.loops import Loop
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.threads import until


class Worker:
    """Gives requests to an application as the loop of a worker does, and has no threads."""

    def __init__(self, app: Flask, loop: Loop) -> None:
        self.questions = 0
        self._app = app
        self._loop = loop
        self._at_once: AtOnce = app.extensions[AT_ONCE]

    def ask(self, path: str, token: str) -> bytes:
        """The body of the answer; raises WouldWait where a thread has to find it."""
        headers = {"Authorization": f"Bearer {token}"}
        environ = EnvironBuilder(f"{PREFIX}{path}", headers=headers).get_environ()
        return self._answer({**environ, AT_ONCE: True}, self._app.wsgi_app)

    def is_waiting(self) -> bool:
        return self._at_once.is_waiting()

    def turn(self) -> None:
        for key, _ in self._loop.poller.select(0.05):
            key.data(key.fileobj)
        self._at_once.end_turn()
        self._at_once.look_after(is_stopping=False)

    def _answer(self, environ: WSGIEnvironment, answers: Answers) -> bytes:
        try:
            return b"".join(answers(environ, self._start))
        except MustAsk as must:
            self.questions += 1
            come: list[Answers | None] = []
            must.pending.then(come.append)
            until(lambda: self.turn() or come)
        if come[0] is None:
            raise WouldWait
        return self._answer(environ, come[0])

    def _start(self, status: str, _headers: Any) -> Any:
        assert status == "200 OK"


@contextmanager
def served_by_a_loop(app: Flask) -> Iterator[Worker]:
    loop = Loop()
    at_once: AtOnce = app.extensions[AT_ONCE]
    with at_once.attached(loop):
        yield Worker(app, loop)
    loop.poller.close()


@pytest.fixture
def worker(app: Flask) -> Iterator[Worker]:
    with served_by_a_loop(app) as worker:
        yield worker


@pytest.fixture
def ada(app: Flask) -> User:
    return make_user(app)


@pytest.fixture
def path(app: Flask) -> str:
    return f"/products/{make_product(app).id}"


def known(app: Flask, user: User, path: str, seconds_ago: float = 60) -> str:
    """A token of the user, who has asked with it so long ago."""
    token = token_for(app, user)
    assert Api(app, token).get(path).status_code == 200
    with app.app_context():
        verified = token_finder().verified(token)
        caller = token_finder().find(token)
        assert caller is not None
        verified.standing = caller, monotonic() - seconds_ago
    return token


def test_who_has_not_asked_for_long_needs_no_thread(
    app: Flask, worker: Worker, ada: User, path: str
) -> None:
    token = known(app, ada, path)
    other = f"/products/{make_product(app, sku='OTHER').id}"
    assert b'"OTHER"' in worker.ask(other, token)
    # Who it is, and what it is.
    assert worker.questions == 2
    assert b'"OTHER"' in worker.ask(other, token)
    assert worker.questions == 2


def test_the_store_is_told_of_those_whom_the_loop_has_answered(
    make_app: Callable[..., Flask], ada: User
) -> None:
    shop = make_app(rate_limit="1000 per hour")
    path = f"/products/{make_product(shop).id}"
    token = known(shop, ada, path)
    with served_by_a_loop(shop) as worker:
        for _ in range(3):
            worker.ask(path, token)
        until(lambda: worker.turn() or not worker.is_waiting())
        counted = parse("1000 per hour"), str(ada.id), "products.read_product"
        assert limiter.limiter.get_window_stats(*counted).remaining == 1000 - 1 - 3


def test_whose_session_has_ended_is_left_to_a_thread(
    app: Flask, worker: Worker, ada: User, path: str
) -> None:
    token = known(app, ada, path)
    sessions.end_all_sessions(ada.id)
    for _ in range(2):
        with pytest.raises(WouldWait):
            worker.ask(path, token)
    # That nobody stands behind it is remembered for a moment.
    assert worker.questions == 1
    assert Api(app, token).get(path).status_code == 401


def test_whose_key_was_revoked_is_left_to_a_thread(
    app: Flask, worker: Worker, ada: User, path: str
) -> None:
    token = known(app, ada, path)
    signing.rotate(revoke=True)
    with pytest.raises(WouldWait):
        worker.ask(path, token)
    signing.key_ring().keys()
    with pytest.raises(WouldWait):
        worker.ask(path, token)
    assert worker.questions == 0


def test_a_token_that_was_never_verified_is_left_to_a_thread(
    app: Flask, worker: Worker, ada: User, path: str
) -> None:
    Api(app).get(path)
    with pytest.raises(WouldWait):
        worker.ask(path, token_for(app, ada))
    assert worker.questions == 0


def test_staff_are_left_to_a_thread(app: Flask, worker: Worker, path: str) -> None:
    token = known(app, make_user(app, role=Role.STAFF), path, seconds_ago=0)
    with pytest.raises(WouldWait):
        worker.ask(path, token)
    assert worker.questions == 0


def test_an_answer_that_comes_too_late_to_tell_who_calls_is_not_waited_for_again(
    app: Flask, worker: Worker, ada: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = known(app, ada, path)
    monkeypatch.setattr("stockroom.core.callers.token_header.RENEWED_SECONDS", -1)
    monkeypatch.setattr("stockroom.core.callers.token_header.RECENT_SECONDS", -1)
    with pytest.raises(WouldWait):
        worker.ask(path, token)
    assert worker.questions == 1

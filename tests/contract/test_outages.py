"""PostgreSQL and Redis go away and come back while clients keep asking."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
from redis import Redis

from stockroom.core.permissions import Role
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.embedded.redis import EmbeddedRedis
from tests.contract import web
from tests.contract.conftest import OpenSite, Site
from tests.contract.web import Answer
from tests.embedded.conftest import QUICK, new_folder
from tests.factories.products import product_body
from tests.factories.users import PASSWORD, make_user, token_for
from tests.servers import migrate
from tests.threads import until

ONCE_OR_OFTEN = [1, pytest.param(5, marks=pytest.mark.heavy)]


class Client:
    """Asks one thing again and again until it is told to stop, and keeps the answers."""

    def __init__(self, site: Site, method: str, path: str, token: str, **body: str) -> None:
        self._site, self._method, self._path = site, method, path
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._body = body
        self._numbers = count()
        self.answers: list[Answer] = []

    def ask(self) -> Answer:
        self.answers.append(self.ask_on_the_side())
        return self.answers[-1]

    def ask_on_the_side(self) -> Answer:
        """One more request, whatever those of the loop are waiting for."""
        body = None
        if self._method == "POST":
            number = next(self._numbers)
            fields = self._body or product_body(sku=f"OUTAGE-{id(self)}-{number}")
            body = json.dumps(fields).encode()
        request = web.request(self._method, f"/api/v1{self._path}", body, self._headers)
        return self._site.web.send(request)

    def ask_until(self, over: Event) -> None:
        while not over.is_set():
            self.ask()


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    with new_folder(0o755) as folder:
        server = EmbeddedPostgres(folder / "postgres", settings=QUICK)
        server.start()
        yield server
        server.stop()


@pytest.mark.parametrize("times", ONCE_OR_OFTEN)
def test_while_postgresql_is_away_every_answer_is_503_and_then_all_is_well(
    open_site: OpenSite, postgres: EmbeddedPostgres, tmp_path: Path, times: int
) -> None:
    address = _address(postgres)
    migrate(address, tmp_path)
    with open_site(database_url=address) as site:
        clients = _clients(site)
        with _asking(clients):
            for _ in range(times):
                seen = [len(client.answers) for client in clients]
                postgres.stop()
                for client, before in zip(clients, seen, strict=True):
                    until(lambda c=client, b=before: 503 in _statuses(c.answers[b:]))
                assert _address(postgres) == address
                firsts = [client.ask_on_the_side().status for client in clients]
                assert firsts == [200, 200, 201, 200]
    answers = [answer for client in clients for answer in client.answers]
    assert {answer.status for answer in answers} <= {200, 201, 503}
    refusals = [answer for answer in answers if answer.status == 503]
    assert {answer.media_type for answer in refusals} == {"application/problem+json"}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refusals)


@pytest.mark.parametrize("times", ONCE_OR_OFTEN)
def test_while_redis_is_away_nobody_notices(
    open_site: OpenSite, redis: EmbeddedRedis, times: int
) -> None:
    with open_site(redis_url=redis.url) as site:
        clients = _clients(site)
        with _asking(clients):
            for _ in range(times):
                redis.stop()
                seen = [len(client.answers) for client in clients]
                for client, before in zip(clients, seen, strict=True):
                    until(lambda c=client, b=before: _is_limited(c.answers[b:]))
                redis.start()
                until(lambda: _is_used(redis))
    answers = [answer for client in clients for answer in client.answers]
    assert {answer.status for answer in answers} <= {200, 201}


def _clients(site: Site) -> list[Client]:
    """Readers and writers, with credentials and without cached answers."""
    user = make_user(site.app, role=Role.STAFF)
    token = token_for(site.app, user)
    return [
        Client(site, "GET", "/products?count=true", token),
        Client(site, "GET", "/users/me", token),
        Client(site, "POST", "/products", token),
        Client(site, "POST", "/auth/login", token, email=user.email, password=PASSWORD),
    ]


def _address(postgres: EmbeddedPostgres) -> str:
    """Where the server is, which is started if it does not run."""
    info = postgres.start()
    return f"postgresql://{info.user}@/{info.database}?host={quote(info.host, safe='')}"


def _is_used(redis: EmbeddedRedis) -> bool:
    """Whether both the limiter and the cache keep their keys in it."""
    with Redis.from_url(redis.url) as connection:
        return all(connection.keys(f"{prefix}*") for prefix in ("LIMITS", "stockroom:cache:"))


def _is_limited(answers: list[Answer]) -> bool:
    """Whether limits hold again; the request that finds the server gone is let through."""
    return len(answers) > 3 and "ratelimit-remaining" in answers[-1].headers


def _statuses(answers: list[Answer]) -> set[int]:
    return {answer.status for answer in answers}


@contextmanager
def _asking(clients: list[Client]) -> Iterator[None]:
    over = Event()
    with ThreadPoolExecutor(len(clients)) as threads:
        futures: list[Future[None]] = [threads.submit(client.ask_until, over) for client in clients]
        try:
            until(lambda: all(client.answers for client in clients))
            yield
        finally:
            over.set()
    for future in futures:
        future.result()

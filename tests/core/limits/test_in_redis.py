"""Limits that all processes share by way of Redis, and that hold while it is away."""

import time
from collections.abc import Callable

import pytest
from flask import Flask
from limits import parse
from redis import Redis
from werkzeug.test import TestResponse

from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import limiter
from tests.api import Api, statuses
from tests.factories.users import PASSWORD, make_user, token_for
from tests.threads import at_once


def read_own_account(api: Api) -> TestResponse:
    return api.get("/users/me")


def guess_a_password(api: Api) -> TestResponse:
    return api.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})


BY_LIMIT = pytest.mark.parametrize(
    ("setting", "ask"), [("rate_limit", read_own_account), ("rate_limit_login", guess_a_password)]
)


def test_counts_in_redis_are_shared_by_all_processes(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    apps = [make_app(rate_limit="2 per hour", redis_url=redis.url) for _ in range(3)]
    assert statuses([Api(app).get("/products") for app in apps]) == [200, 200, 429]


@BY_LIMIT
def test_a_request_is_counted_and_told_of_by_one_call_of_redis(
    make_app: Callable[..., Flask],
    redis: EmbeddedRedis,
    setting: str,
    ask: Callable[[Api], TestResponse],
) -> None:
    api = Api(make_app(**{setting: "5 per hour; 9 per day"}, redis_url=redis.url))
    ask(api)
    with Redis.from_url(redis.url) as client:
        client.config_resetstat()
        headers = ask(api).headers
        asked = client.info("commandstats")
    assert headers["RateLimit-Remaining"] == "3"
    assert asked["cmdstat_evalsha"]["calls"] == 1


@BY_LIMIT
@pytest.mark.parametrize("limits", ["2 per hour; 9 per day", "9 per minute; 2 per hour"])
def test_all_limits_hold_alike_with_redis_and_without(
    make_app: Callable[..., Flask],
    redis: EmbeddedRedis,
    setting: str,
    ask: Callable[[Api], TestResponse],
    limits: str,
) -> None:
    def told(api: Api) -> list[tuple[int, str, str]]:
        answers = [ask(api) for _ in range(4)]
        names = ("RateLimit-Limit", "RateLimit-Remaining")
        return [(it.status_code, *(it.headers[name] for name in names)) for it in answers]

    with_redis = told(Api(make_app(**{setting: limits}, redis_url=redis.url)))
    assert [status for status, *_ in with_redis] == [401, 401, 429, 429]
    assert with_redis == told(Api(make_app(**{setting: limits})))


def test_who_may_not_call_uses_up_no_limit_of_the_call_itself(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    app = make_app(rate_limit_login="2 per hour", redis_url=redis.url)
    strangers = [Api(app).post("/auth/reauthenticate", json={}) for _ in range(3)]
    assert statuses(strangers) == [401, 401, 401]
    ada = Api(app, token_for(app, make_user(app)))
    answer = ada.post("/auth/reauthenticate", json={"password": PASSWORD})
    assert answer.headers["RateLimit-Remaining"] == "1"


def test_what_flask_limiter_has_counted_counts_as_well(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    api = Api(make_app(rate_limit="3 per hour", redis_url=redis.url))
    limiter.limiter.hit(parse("3 per hour"), "127.0.0.1", "users.read_own_account")
    answers = [api.get("/users/me") for _ in range(3)]
    assert statuses(answers) == [401, 401, 429]
    assert [it.headers["RateLimit-Remaining"] for it in answers] == ["1", "0", "0"]


def test_without_redis_the_limit_is_kept_in_memory(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    api = Api(make_app(rate_limit="2 per hour", redis_url=redis.url))
    assert api.get("/products").status_code == 200
    redis.stop()
    responses = [api.get("/products") for _ in range(3)]
    assert statuses(responses) == [200, 200, 429]
    assert int(responses[-1].headers["Retry-After"]) > 0


def test_stricter_limits_hold_without_redis_too(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    api = Api(make_app(rate_limit_login="1 per hour", redis_url=redis.url))
    redis.stop()
    guess = {"email": "ada@example.com", "password": PASSWORD}
    responses = [api.post("/auth/login", json=guess) for _ in range(2)]
    assert statuses(responses) == [401, 429]


def test_redis_counts_again_once_it_is_back(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    api = Api(make_app(rate_limit="1000000 per hour", redis_url=redis.url))
    redis.stop()
    assert api.get("/products").status_code == 200
    redis.start()
    deadline = time.monotonic() + 30
    with Redis.from_url(redis.url) as client:
        while not client.keys("LIMITS*"):
            assert time.monotonic() < deadline
            assert api.get("/products").status_code == 200


def test_requests_that_find_redis_gone_at_the_same_moment_are_all_served(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    app = make_app(redis_url=redis.url)
    apis = [Api(app) for _ in range(16)]
    Api(app).get("/products")
    redis.stop()
    answers = at_once(lambda api: api.get("/products"), apis)
    assert set(statuses(answers)) == {200}

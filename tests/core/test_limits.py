"""How many requests a caller may make, counted in Redis or, without it, in memory."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from limits import parse
from redis import Redis
from werkzeug.test import TestResponse

from stockroom.api_keys import keys
from stockroom.core.database import new_id
from stockroom.core.key_header import KeyFinder
from stockroom.core.permissions import Caller, Role
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import limiter
from tests.api import Api, assert_problem
from tests.factories.api_keys import make_key
from tests.factories.users import PASSWORD, make_user, token_for
from tests.threads import at_once


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def statuses(responses: list[TestResponse]) -> list[int]:
    return [response.status_code for response in responses]


def test_the_headers_tell_what_is_left_in_seconds(make_app: Callable[..., Flask]) -> None:
    headers = Api(make_app(rate_limit="5 per hour")).get("/products").headers
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("5", "4")
    assert 3590 <= int(headers["RateLimit-Reset"]) <= 3601
    assert "Retry-After" not in headers


def test_one_request_too_many_is_a_429_that_says_when_to_come_back(
    make_app: Callable[..., Flask],
) -> None:
    api = Api(make_app(rate_limit="2 per hour"))
    assert statuses([api.get("/products"), api.get("/products")]) == [200, 200]
    refused = api.get("/products")
    problem = assert_problem(refused, 429, "rate-limited")
    assert "2 per 1 hour" in problem["detail"]
    assert 3590 <= int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["RateLimit-Remaining"] == "0"


def test_applications_side_by_side_keep_their_own_limits(
    make_app: Callable[..., Flask],
) -> None:
    few, many = make_app(rate_limit="1 per hour"), make_app(rate_limit="50 per hour")
    assert Api(few).get("/products").headers["RateLimit-Limit"] == "1"
    assert Api(many).get("/products").headers["RateLimit-Limit"] == "50"


def test_each_account_has_a_count_of_its_own(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="2 per hour")
    ada, bob = (Api(app, token_for(app, make_user(app))) for _ in range(2))
    assert statuses([ada.get("/users/me") for _ in range(3)]) == [200, 200, 429]
    assert bob.get("/users/me").status_code == 200


def test_an_account_has_one_count_for_all_its_sessions(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="2 per hour")
    user = make_user(app)
    devices = [Api(app, token_for(app, user)) for _ in range(3)]
    assert statuses([device.get("/users/me") for device in devices]) == [200, 200, 429]


def test_who_has_no_valid_token_is_counted_by_address(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="2 per hour")
    made_up = [Api(app, token).get("/products") for token in (None, "made.up.token", "e30.e30.x")]
    assert statuses(made_up) == [200, 401, 429]
    elsewhere = Api(app).get("/products", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_a_key_that_was_let_in_has_a_count_of_its_own(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="2 per hour")
    user = make_user(app)
    first, second = (Api(app, key=make_key(app, user).key) for _ in range(2))
    assert statuses([api.get("/users/me") for api in (first, second)]) == [200, 200]
    assert Api(app).get("/users/me").status_code == 429
    assert statuses([first.get("/users/me") for _ in range(3)]) == [200, 200, 429]
    assert second.get("/users/me").status_code == 200


def test_keys_that_are_made_up_are_counted_by_address(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="2 per hour")
    made_up = [Api(app, key=keys.new_key()).get("/products") for _ in range(3)]
    assert statuses(made_up) == [401, 401, 429]


def test_a_key_that_is_refused_is_counted_by_address_again() -> None:
    callers = [Caller(new_id(), Role.CUSTOMER, key_id=new_id()), None]
    finder = KeyFinder(lambda _key: callers.pop(0))
    seen = []
    for _ in range(2):
        finder.find("sr_key")
        seen.append(finder.known_id("sr_key") is not None)
    assert seen == [True, False]


def test_of_many_keys_those_that_were_used_last_are_known() -> None:
    finder = KeyFinder(lambda _key: Caller(new_id(), Role.CUSTOMER, key_id=new_id()), most_known=2)
    for key in ("a", "b", "a", "c"):
        finder.find(key)
    assert [finder.known_id(key) is not None for key in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    ("setting", "path", "body"),
    [
        ("rate_limit_login", "/auth/login", {"email": "a@example.com", "password": "x"}),
        ("rate_limit_login", "/auth/token", None),
        ("rate_limit_refresh", "/auth/refresh", {"refresh_token": "x"}),
        ("rate_limit_register", "/auth/register", {}),
    ],
)
def test_what_could_be_guessed_or_flooded_has_a_limit_of_its_own(
    make_app: Callable[..., Flask], setting: str, path: str, body: dict[str, str] | None
) -> None:
    api = Api(make_app(**{setting: "2 per hour"}))
    sent = {"data": {"grant_type": "x"}} if body is None else {"json": body}
    first, second, third = (api.post(path, **sent) for _ in range(3))
    assert 429 not in statuses([first, second])
    assert_problem(third, 429, "rate-limited")
    assert api.get("/products").status_code == 200


def test_an_account_is_no_way_around_the_limit_of_logins(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(rate_limit_login="2 per hour")
    guess = {"email": "ada@example.com", "password": "guess"}
    callers = [Api(app, token_for(app, make_user(app))) for _ in range(3)]
    assert statuses([caller.post("/auth/login", json=guess) for caller in callers]) == [
        401,
        401,
        429,
    ]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_are_not_limited(make_app: Callable[..., Flask], path: str) -> None:
    client = make_app(rate_limit="1 per hour").test_client()
    responses = [client.get(path) for _ in range(3)]
    assert statuses(responses) == [200, 200, 200]
    assert "RateLimit-Limit" not in responses[0].headers


def test_counts_in_redis_are_shared_by_all_processes(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    apps = [make_app(rate_limit="2 per hour", redis_url=redis.url) for _ in range(3)]
    assert statuses([Api(app).get("/products") for app in apps]) == [200, 200, 429]


def read_own_account(api: Api) -> TestResponse:
    return api.get("/users/me")


def guess_a_password(api: Api) -> TestResponse:
    return api.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD})


BY_LIMIT = pytest.mark.parametrize(
    ("setting", "ask"), [("rate_limit", read_own_account), ("rate_limit_login", guess_a_password)]
)


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


def test_all_addresses_of_one_ipv6_network_count_as_one(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(rate_limit="1 per hour"))
    callers = ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", "2001:db8:1:3::7")
    answers = [api.get("/products", environ_base={"REMOTE_ADDR": caller}) for caller in callers]
    assert statuses(answers) == [200, 429, 200]


def test_requests_that_find_redis_gone_at_the_same_moment_are_all_served(
    make_app: Callable[..., Flask], redis: EmbeddedRedis
) -> None:
    app = make_app(redis_url=redis.url)
    apis = [Api(app) for _ in range(16)]
    Api(app).get("/products")
    redis.stop()
    answers = at_once(lambda api: api.get("/products"), apis)
    assert set(statuses(answers)) == {200}

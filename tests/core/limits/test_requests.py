"""How many requests a caller may make, and what tells them."""

from collections.abc import Callable

import pytest
from flask import Flask

from stockroom.api_keys import keys
from stockroom.core.callers.key_header import KeyFinder
from stockroom.core.database import new_id
from stockroom.core.permissions import Caller, Role
from tests.api import Api, assert_problem, statuses
from tests.factories.api_keys import make_key
from tests.factories.users import make_user, token_for


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


def test_all_addresses_of_one_ipv6_network_count_as_one(make_app: Callable[..., Flask]) -> None:
    api = Api(make_app(rate_limit="1 per hour"))
    callers = ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", "2001:db8:1:3::7")
    answers = [api.get("/products", environ_base={"REMOTE_ADDR": caller}) for caller in callers]
    assert statuses(answers) == [200, 429, 200]

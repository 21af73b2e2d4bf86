"""Hot reads are answered before Flask, exactly as Flask would answer them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from stockroom.core.cache import memory
from stockroom.core.hot_reads.at_once import AT_ONCE, WouldWait
from stockroom.core.permissions import Role
from tests.api import Api, assert_problem, product_tag
from tests.factories.api_keys import make_key
from tests.factories.products import make_product
from tests.factories.stock import let_expire, make_reservation
from tests.factories.users import make_user, token_for

MakeApp = Callable[..., Flask]
TO_FLASK = {"Host": "[::1]"}
"""What the fast path leaves to Flask."""
OWN_TO_EACH = {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}


class Watched:
    """An application, with the paths of those requests that have come to Flask."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.asked: list[str] = []
        app.before_request(lambda: self.asked.append(request.path))


@pytest.fixture
def watched(make_app: MakeApp) -> Watched:
    return Watched(make_app())


def told(answer: TestResponse) -> tuple[int, dict[str, Any], bytes]:
    headers = {name: value for name, value in answer.headers if name not in OWN_TO_EACH}
    assert {name for name, _ in answer.headers} >= OWN_TO_EACH
    return answer.status_code, headers, answer.data


def assert_same_both_ways(
    app: Flask, path: str, token: str | None = None, **headers: str
) -> TestResponse:
    """The answer of the fast path, which Flask gives as well."""
    reader = Api(app, token)
    reader.get(path, headers=headers)
    fast = reader.get(path, headers=headers)
    assert told(fast) == told(reader.get(path, headers={**headers, **TO_FLASK}))
    return fast


@pytest.mark.parametrize(
    "path",
    [
        *("/products/{id}", "/products/by-sku/MUG", "/products/by-sku/mug", "/products"),
        *("/products?limit=1", "/products?q=mug&limit=1", "/products?fields=id,sku&count=true"),
        *("/products?sort=-price&in_stock=true", "/products?in_stock=false"),
        *("/products?status=active", "/products?sku=mug", "/products?price_min=1&price_max=9.5"),
    ],
)
@pytest.mark.parametrize("role", [None, Role.CUSTOMER])
def test_both_ways_give_the_same_answer(
    watched: Watched, app: Flask, path: str, role: Role | None
) -> None:
    product = make_product(app, sku="MUG", name="Mug", stock=3)
    make_product(app, sku="CUP", name="Mug")
    make_product(app, status="draft")
    token = token_for(app, make_user(app, role=role)) if role else None
    answer = assert_same_both_ways(watched.app, path.format(id=product.id), token)
    assert answer.status_code == 200
    # The token is verified by Flask first; nobody needs that.
    assert len(watched.asked) == (2 if role else 1)


@pytest.mark.parametrize("sent", ["{tag}", "W/{tag}", '"1", {tag}', "*"])
def test_both_ways_know_the_version_that_a_client_has(app: Flask, sent: str) -> None:
    path = f"/products/{make_product(app).id}"
    header = sent.format(tag=product_tag(path, 1))
    answer = assert_same_both_ways(app, path, **{"If-None-Match": header})
    assert answer.status_code == 304
    assert answer.data == b""


@pytest.mark.parametrize("sent", ['"1"', "1", "", '"'])
def test_both_ways_send_what_a_client_does_not_have(app: Flask, sent: str) -> None:
    path = f"/products/{make_product(app).id}"
    assert assert_same_both_ways(app, path, **{"If-None-Match": sent}).status_code == 200


def test_a_page_has_a_tag_as_well(app: Flask, nobody: Api) -> None:
    make_product(app)
    tag = nobody.get("/products").headers["ETag"]
    answer = assert_same_both_ways(app, "/products", **{"If-None-Match": tag})
    assert answer.status_code == 304
    make_product(app)
    assert nobody.get("/products", headers={"If-None-Match": tag}).status_code == 200


def test_both_ways_say_who_may_read_it_from_another_origin(make_app: MakeApp, app: Flask) -> None:
    shop = make_app(cors_origins=["https://shop.example"])
    path = f"/products/{make_product(app).id}"
    assert assert_same_both_ways(shop, path).headers["Vary"] == "Origin"
    answer = Api(shop).get(path, headers={"Origin": "https://shop.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"


def test_both_ways_want_https_where_it_is_wanted(make_app: MakeApp, app: Flask) -> None:
    shop = make_app(force_https=True, trusted_proxies=1)
    path = f"/products/{make_product(app).id}"
    answer = assert_same_both_ways(shop, path, **{"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in answer.headers
    assert Api(shop).get(path).status_code == 308


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/products/019a0000-0000-7000-8000-000000000000", 404, "product-not-found"),
        ("/products/by-sku/NONE", 404, "product-not-found"),
        ("/products/1", 404, "not-found"),
        ("/products?limit=0", 422, "validation-error"),
        ("/products?unknown=1", 422, "validation-error"),
        ("/products?cursor=x", 422, "validation-error"),
        ("/products?q=%FF", 400, "bad-request"),
    ],
)
def test_what_is_refused_is_refused_each_time(
    nobody: Api, path: str, status: int, slug: str
) -> None:
    for _ in range(2):
        assert_problem(nobody.get(path), status, slug)


def test_a_product_that_has_become_a_draft_is_gone(app: Flask, nobody: Api, staff: Api) -> None:
    path = f"/products/{make_product(app).id}"
    for _ in range(2):
        assert nobody.get(path).status_code == 200
    staff.patch(path, json={"status": "draft"}, if_match="*")
    assert_problem(nobody.get(path), 404, "product-not-found")
    assert staff.get(path).status_code == 200


def test_what_a_reservation_holds_past_its_time_is_available_at_once(
    app: Flask, staff: Api
) -> None:
    product = make_product(app, stock=5)
    path = f"/products/{product.id}"
    reservation = make_reservation(app, product.id, 2)
    assert staff.get(path).get_json()["available"] == 3
    let_expire(app, reservation.id)
    assert staff.get(path).get_json()["available"] == 5


def test_a_key_is_looked_at_by_flask(watched: Watched, app: Flask) -> None:
    path = f"/products/{make_product(app).id}"
    key = make_key(app, make_user(app)).key
    for _ in range(2):
        assert Api(watched.app, key=key).get(path).status_code == 200
    assert len(watched.asked) == 2


def test_requests_are_counted_and_the_last_ones_refused(make_app: MakeApp, app: Flask) -> None:
    shop = Watched(make_app(rate_limit="40 per hour"))
    reader, path = Api(shop.app), f"/products/{make_product(app).id}"
    answers = [reader.get(path) for _ in range(44)]
    assert [answer.status_code for answer in answers[:40]] == [200] * 40
    left = [int(answer.headers["RateLimit-Remaining"]) for answer in answers[:40]]
    assert left == list(range(39, -1, -1))
    assert_problem(answers[-1], 429, "rate-limited")
    assert len(shop.asked) < 6


def test_both_ways_count_together(make_app: MakeApp, app: Flask) -> None:
    shop = make_app(rate_limit="4 per hour")
    reader, path = Api(shop), f"/products/{make_product(app).id}"
    for headers in ({}, TO_FLASK, {}, TO_FLASK):
        assert reader.get(path, headers=headers).status_code == 200
    assert_problem(reader.get(path), 429, "rate-limited")


def test_a_request_keeps_its_id_and_is_logged(app: Flask, nobody: Api, caplog: Any) -> None:
    path = f"/products/{make_product(app).id}"
    for _ in range(2):
        answer = nobody.get(path, headers={"X-Request-ID": "order-7"})
        assert answer.headers["X-Request-ID"] == "order-7"
    lines = [record.msg for record in caplog.records if record.msg.get("event") == "request"]
    assert [(line["request_id"], line["status"]) for line in lines[-2:]] == [("order-7", 200)] * 2
    assert nobody.get(path, headers={"X-Request-ID": "two words"}).headers["X-Request-ID"] != ""


def test_a_database_that_is_away_is_asked_once(make_app: MakeApp) -> None:
    shop = Watched(make_app(database_url="postgresql://nobody@127.0.0.1:1/shop"))
    assert_problem(Api(shop.app).get("/products"), 503, "unavailable")
    assert shop.asked == ["/api/v1/products"]


def test_who_has_to_wait_after_all_is_counted_where_that_is_done(make_app: MakeApp) -> None:
    app = make_app(rate_limit="1000 per hour")
    path = f"/products/{make_product(app).id}"
    reader = Api(app)
    left = [int(reader.get(path).headers["RateLimit-Remaining"]) for _ in range(2)]
    with app.app_context():
        memory().clear()
    for _ in range(5):
        with pytest.raises(WouldWait):
            reader.get(path, environ_base={AT_ONCE: True})
    left.append(int(reader.get(path).headers["RateLimit-Remaining"]))
    assert left == [999, 998, 997]

"""What Prometheus is told, and who may ask."""

from collections.abc import Callable

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from stockroom.core.metrics import REQUEST_SECONDS, count_request
from stockroom.core.transaction import reading
from stockroom.extensions import db
from tests.api import Api, assert_problem

TOKEN = "a token that Prometheus alone knows"
SECONDS = "stockroom_http_request_duration_seconds"
LIMITED = "stockroom_http_rate_limited_requests_total"
CONNECTIONS = "stockroom_database_connections_in_use"


def scraped(app: Flask) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples, by name and labels."""
    response = app.test_client().get("/metrics")
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def added(app: Flask, act: Callable[[], object], name: str, **labels: str) -> float:
    """By how much a sample is greater after the act than before."""
    key = (name, frozenset(labels.items()))
    before = scraped(app).get(key, 0.0)
    act()
    return scraped(app)[key] - before


def status_of(app: Flask, headers: dict[str, str], address: str = "127.0.0.1") -> int:
    environ = {"REMOTE_ADDR": address}
    client = app.test_client()
    return client.get("/metrics", headers=headers, environ_base=environ).status_code


def test_a_request_counts_by_method_endpoint_and_class_of_status(app: Flask, nobody: Api) -> None:
    labels = {"method": "GET", "endpoint": "products.list_products", "status": "2xx"}
    assert added(app, lambda: nobody.get("/products"), f"{SECONDS}_count", **labels) == 1


def test_an_address_that_nobody_answers_is_no_series_of_its_own(app: Flask, nobody: Api) -> None:
    labels = {"method": "GET", "endpoint": "none", "status": "4xx"}
    assert added(app, lambda: nobody.get("/one"), f"{SECONDS}_count", **labels) == 1
    assert added(app, lambda: nobody.get("/other"), f"{SECONDS}_count", **labels) == 1


def test_a_method_that_nobody_knows_is_no_series_of_its_own(app: Flask) -> None:
    labels = {"method": "other", "endpoint": "none", "status": "4xx"}
    client = app.test_client()
    for method in ("BREW", "WHEN"):
        act = lambda method=method: client.open("/api/v1/products", method=method)  # noqa: E731
        assert added(app, act, f"{SECONDS}_count", **labels) == 1


def test_the_time_of_a_request_falls_into_its_bucket(app: Flask) -> None:
    def act() -> None:
        count_request("GET", "a.view", 200, 0.003)

    labels = {"method": "GET", "endpoint": "a.view", "status": "2xx"}
    assert added(app, act, f"{SECONDS}_bucket", **labels, le="0.0025") == 0
    assert added(app, act, f"{SECONDS}_bucket", **labels, le="0.005") == 1
    assert added(app, act, f"{SECONDS}_sum", **labels) == pytest.approx(0.003)


def test_many_methods_and_statuses_do_not_fill_the_memory() -> None:
    for number in range(1000):
        count_request(f"M{number}", "a.view", 100 + number % 500, 0.1)
    series = REQUEST_SECONDS.collect()[0].samples
    ours = {tuple(s.labels.values())[:3] for s in series if s.labels["endpoint"] == "a.view"}
    assert len({labels for labels in ours if "other" in labels}) == 5


def test_what_is_refused_by_a_limit_is_counted(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limit="1 per hour")

    def act() -> None:
        assert [Api(app).get("/products").status_code for _ in range(3)] == [200, 429, 429]

    assert added(app, act, LIMITED, endpoint="products.list_products") == 2


def test_connections_that_are_in_use_are_told(app: Flask) -> None:
    def connections() -> float:
        return scraped(app)[CONNECTIONS, frozenset()]

    with app.app_context():
        before = connections()
        with db.engine.connect(), reading() as session:
            session.connection()
            assert connections() == before + 2
        assert connections() == before


def test_the_cache_is_among_them(app: Flask) -> None:
    names = {name for name, _ in scraped(app)}
    assert {"stockroom_cache_misses_total", "stockroom_cache_bytes"} <= names


# Who may ask


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_without_a_token_a_program_of_this_machine_may_ask(app: Flask, address: str) -> None:
    assert status_of(app, {}, address) == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "", "not an address"])
def test_without_a_token_it_is_not_there_for_anybody_else(app: Flask, address: str) -> None:
    response = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert_problem(response, 404, "not-found")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_proxy_of_this_machine_does_not_ask_for_itself(app: Flask, header: str) -> None:
    assert status_of(app, {header: "127.0.0.1"}) == 404


def test_behind_a_trusted_proxy_it_takes_a_token(make_app: Callable[..., Flask]) -> None:
    assert status_of(make_app(trusted_proxies=1), {"X-Forwarded-For": "127.0.0.1"}) == 404
    assert status_of(make_app(trusted_proxies=1), {}) == 404


def test_with_the_token_anybody_may_ask(make_app: Callable[..., Flask]) -> None:
    app = make_app(metrics_token=TOKEN, trusted_proxies=1)
    assert status_of(app, {"Authorization": f"Bearer {TOKEN}"}, "192.0.2.7") == 200


@pytest.mark.parametrize("sent", ["", TOKEN, f"Bearer {TOKEN}x", "Bearer ", "Bearer tökén"])
def test_with_any_other_token_nobody_may_ask(make_app: Callable[..., Flask], sent: str) -> None:
    app = make_app(metrics_token=TOKEN)
    response = app.test_client().get("/metrics", headers={"Authorization": sent})
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_it_is_neither_limited_nor_redirected(make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit="1 per hour", force_https=True).test_client()
    assert [client.get("/metrics").status_code for _ in range(3)] == [200, 200, 200]

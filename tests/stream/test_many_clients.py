"""Clients that come and go at random: none misses an event, none gets one twice."""

import pytest

from tests.contract.conftest import OpenSite
from tests.stream.clients import Live
from tests.stream.crowd import assert_each_gets_every_event_once, working

CLIENTS, COUNT = 100, 5000
# The server may learn of a connection's end after the client's next one begins.
PLACES = 2 * CLIENTS


def test_some_clients_each_get_every_event_once(live: Live) -> None:
    assert_each_gets_every_event_once(live, clients=10, count=300)


@pytest.mark.heavy
def test_a_hundred_clients_each_get_every_event_once(open_site: OpenSite) -> None:
    with open_site(stream_connections=PLACES) as site:
        assert_each_gets_every_event_once(Live(site), clients=CLIENTS, count=COUNT)


@pytest.mark.heavy
def test_a_hundred_clients_of_two_processes_each_get_every_event_once(
    open_site: OpenSite, servers: dict[str, str]
) -> None:
    with (
        open_site(stream_connections=PLACES, web_concurrency=2, redis_url=servers["redis"]) as site,
        working(site.app),
    ):
        assert_each_gets_every_event_once(Live(site), clients=CLIENTS, count=COUNT)

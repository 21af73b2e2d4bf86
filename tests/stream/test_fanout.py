"""Two web processes and Redis, which wakes them; while it is away, they look by themselves."""

from collections.abc import Iterator

import pytest
from redis import Redis
from websockets.sync.client import ClientConnection

from stockroom.embedded.redis import EmbeddedRedis
from tests.contract.conftest import OpenSite
from tests.stream.clients import Live, read
from tests.stream.crowd import assert_each_gets_every_event_once, working
from tests.threads import until


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pair(open_site: OpenSite, redis: EmbeddedRedis) -> Iterator[tuple[Live, Live]]:
    """Two processes with one database, whose events this process relays."""
    each = {"redis_url": redis.url, "log_level": 20, "web_concurrency": 1}
    with (
        open_site(**each) as one,
        open_site(**each, database_url=one.settings.database_url) as two,
    ):
        yield Live(one), Live(two)


@pytest.fixture
def sockets(pair: tuple[Live, Live], redis: EmbeddedRedis) -> Iterator[list[ClientConnection]]:
    """A client of each process, while Redis wakes both."""
    redis.start()
    token, query = pair[0].token, "types=product.created"
    with pair[0].socket(query) as one, pair[1].socket(query, token=token) as two:
        until(lambda: _listeners(redis) == 2)
        yield [one, two]


def test_clients_of_two_processes_each_get_every_event_once(pair: tuple[Live, Live]) -> None:
    with working(pair[0].site.app):
        assert_each_gets_every_event_once(*pair, clients=10, count=100)


def test_events_arrive_while_redis_is_away_and_when_it_is_back(
    pair: tuple[Live, Live], redis: EmbeddedRedis, sockets: list[ClientConnection]
) -> None:
    redis.stop()
    assert _arrived(pair[0], sockets)
    redis.start()
    until(lambda: _listeners(redis) == 2)
    assert _arrived(pair[0], sockets)


def test_a_redis_that_is_away_is_named_once_in_each_log(
    pair: tuple[Live, Live], redis: EmbeddedRedis, sockets: list[ClientConnection]
) -> None:
    before = [_complaints(live) for live in pair]
    redis.stop()
    until(lambda: all(_complaints(live) > seen for live, seen in zip(pair, before, strict=True)))
    assert _arrived(pair[0], sockets)
    redis.start()
    until(lambda: _listeners(redis) == 2)
    assert [_complaints(live) for live in pair] == [seen + 1 for seen in before]


def _arrived(live: Live, sockets: list[ClientConnection]) -> bool:
    """Whether both clients get a new event."""
    new = live.make_products(1)
    live.now()
    return all(read(socket, 1)[0]["subject"] == new[0] for socket in sockets)


def _complaints(live: Live) -> int:
    return live.log.count('"fan-out away"')


def _listeners(redis: EmbeddedRedis) -> int:
    with Redis.from_url(redis.url) as client:
        return int(client.pubsub_numsub("stockroom:events")[0][1])

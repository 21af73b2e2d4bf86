"""A private Redis starts, stops and comes back on the same port."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from stockroom.embedded.errors import EmbeddedServerError
from stockroom.embedded.redis import FROM_WHEEL, EmbeddedRedis, redis_program


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path)
    yield server
    server.stop()


def test_a_started_server_answers(server: EmbeddedRedis) -> None:
    with redis.from_url(server.start()) as client:
        assert client.ping()


def test_a_stopped_server_does_not_answer(server: EmbeddedRedis) -> None:
    server.start()
    server.stop()

    with redis.from_url(server.url, retry=None) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_server_comes_back_at_the_same_address_and_empty(server: EmbeddedRedis) -> None:
    with redis.from_url(server.start()) as client:
        client.set("key", "value")
        url = server.url
        server.stop()

        assert server.start() == url
        assert client.get("key") is None


def test_starting_twice_is_starting_once(server: EmbeddedRedis) -> None:
    with redis.from_url(server.start()) as client:
        client.set("key", "value")

        server.start()

        assert client.get("key") == b"value"


def test_two_servers_have_ports_of_their_own(server: EmbeddedRedis, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = EmbeddedRedis(tmp_path / "other")

    assert server.start() != other.start()
    other.stop()


def test_an_address_before_the_first_start_is_an_error(server: EmbeddedRedis) -> None:
    with pytest.raises(EmbeddedServerError, match="not been started"):
        _ = server.url


@pytest.mark.skipif(not FROM_WHEEL.is_file(), reason="make test has not unpacked the wheel")
def test_without_a_redis_on_the_path_the_one_of_the_wheel_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    assert redis_program() == FROM_WHEEL
    server = EmbeddedRedis(tmp_path)
    with redis.from_url(server.start()) as client:
        assert client.ping()
    server.stop()

"""Waking the tails of all processes, by Redis publish/subscribe.

A message is a wake-up and no more: events come from the database, so that nothing is missed or
doubled where one is lost. While Redis is away, each tail looks by itself once a second.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event
from time import monotonic

import structlog
from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.retry import Retry

from stockroom.core.context import settings

log = structlog.get_logger(__name__)

CHANNEL = "stockroom:events"
LISTEN_SECONDS = 0.5
RECONNECT_SECONDS = 1.0
ANSWER_SECONDS = 0.25
PAUSE_SECONDS = 5.0
_KEY = "stockroom.stream.publisher"


class Publisher:
    """Tells of news, and gives Redis a rest where that fails: the relay must not wait for it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._is_away = False
        self._not_before = 0.0

    def publish(self, newest: int) -> None:
        if monotonic() < self._not_before:
            return
        try:
            self._redis.publish(CHANNEL, str(newest))
        except (RedisError, OSError) as error:
            self._not_before = monotonic() + PAUSE_SECONDS
            if not self._is_away:
                log.warning("fan-out away", reason=str(error))
            self._is_away = True
        else:
            self._is_away = False


def publish(newest: int) -> None:
    """Wake the tails of all processes; without Redis there are no others."""
    if not settings().redis_url:
        return
    publisher = current_app.extensions.get(_KEY)
    if publisher is None:
        publisher = current_app.extensions[_KEY] = Publisher(_connect())
    publisher.publish(newest)


def listen(stop: Event, on_news: Callable[[], None]) -> None:
    """Call ``on_news`` whenever a process tells of news, until ``stop`` is set."""
    if not settings().redis_url:
        return
    was_here = True
    while not stop.is_set():
        try:
            with _subscription() as subscription:
                was_here = True
                # What was told before the subscription is found by looking.
                on_news()
                while not stop.is_set():
                    if subscription.get_message(timeout=LISTEN_SECONDS):
                        on_news()
        except (RedisError, OSError) as error:
            if was_here:
                log.warning("fan-out away", reason=str(error))
            was_here = False
            stop.wait(RECONNECT_SECONDS)


@contextmanager
def _subscription() -> Iterator[PubSub]:
    with (
        closing(_connect()) as redis,
        redis.pubsub(ignore_subscribe_messages=True) as subscription,  # type: ignore[no-untyped-call]
    ):
        subscription.subscribe(CHANNEL)
        yield subscription


def _connect() -> Redis:
    return Redis.from_url(
        settings().redis_url,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )

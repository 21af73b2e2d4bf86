"""Shops with a memory of their own, and with Redis."""

import pytest
from flask import Flask

from stockroom.embedded.redis import EmbeddedRedis
from tests.core.cache.shops import MakeApp


@pytest.fixture
def make_shop(make_app: MakeApp, redis: EmbeddedRedis) -> MakeApp:
    """Applications on this Redis."""
    return lambda: make_app(redis_url=redis.url)


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest, app: Flask) -> Flask:
    """An application that keeps its answers in its own memory, or in Redis."""
    if request.param == "memory":
        return app
    made: Flask = request.getfixturevalue("make_shop")()
    return made

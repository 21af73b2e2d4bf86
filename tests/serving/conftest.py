"""A site of two processes, which the tests of gunicorn's settings share."""

from collections.abc import Iterator

import pytest

from tests.contract.conftest import OpenSite, Site, open_site

__all__ = ["open_site"]


@pytest.fixture(scope="session")
def pair(open_site: OpenSite, servers: dict[str, str]) -> Iterator[Site]:
    with open_site(web_concurrency=2, web_threads=4, redis_url=servers["redis"]) as site:
        yield site

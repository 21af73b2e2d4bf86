"""A site of two processes of five threads, which the tests of gunicorn's settings share."""

from collections.abc import Iterator

import pytest

from tests.contract.conftest import OpenSite, Site, open_site

__all__ = ["open_site"]


@pytest.fixture(scope="session")
def pair(open_site: OpenSite, servers: dict[str, str]) -> Iterator[Site]:
    few = {"web_threads": 4, "stream_connections": 1}
    with open_site(web_concurrency=2, redis_url=servers["redis"], **few) as site:
        yield site

"""A live site: one gunicorn for all tests of a process that need no other settings."""

from collections.abc import Iterator

import pytest

from tests.contract.conftest import OpenSite, open_site
from tests.stream.clients import Live

__all__ = ["open_site"]


@pytest.fixture(scope="session")
def live(open_site: OpenSite) -> Iterator[Live]:
    with open_site(stream_heartbeat_seconds=1, log_level=20) as site:
        yield Live(site)

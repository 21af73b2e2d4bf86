"""A live site: one gunicorn for all tests of a process that need no other settings."""

from collections.abc import Iterator

import pytest

from tests.contract.conftest import OpenSite, open_site
from tests.stream.clients import Live
from tests.stream.pages import served_pages

__all__ = ["open_site"]


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a web page, which is not that of the API."""
    with served_pages(tmp_path_factory.mktemp("pages")) as origin:
        yield origin


@pytest.fixture(scope="session")
def live(open_site: OpenSite, origin: str) -> Iterator[Live]:
    with open_site(stream_heartbeat_seconds=1, cors_origins=[origin], log_level=20) as site:
        yield Live(site)

"""Sites: the application under a real gunicorn, on a database of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from flask import Flask

from stockroom.app import create_app
from stockroom.config import Settings
from stockroom.extensions import db
from tests.contract import web
from tests.servers import Servers

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Site:
    """A served application, and its twin in this process, to make what a test needs."""

    web: web.Web
    app: Flask
    settings: Settings


OpenSite = Callable[..., AbstractContextManager[Site]]


@pytest.fixture(scope="session")
def open_site(
    servers: dict[str, str],
    settings: Settings,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> OpenSite:
    """Opens a site until a block ends; its settings are those of the tests, but for changes."""

    @contextmanager
    def opened(
        *, application: str = web.APPLICATION, within: Sequence[str] = (), **changes: Any
    ) -> Iterator[Site]:
        if "database_url" not in changes:
            name = f"site_{worker_id}_{next(_numbers)}"
            changes["database_url"] = Servers.database(servers, name)
        home = tmp_path_factory.mktemp("site")
        changed = replace(settings, instance_path=home, port=web.free_port(), **changes)
        app = create_app(changed)
        try:
            with web.serving(changed, application, within=within) as served:
                yield Site(served, app, changed)
        finally:
            with app.app_context():
                db.engine.dispose()

    return opened


@pytest.fixture(scope="module")
def site(open_site: OpenSite) -> Iterator[Site]:
    """A site that the tests of a module share."""
    with open_site() as site:
        yield site

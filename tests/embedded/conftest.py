"""Folders and servers for the tests of the private servers."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stockroom.embedded.place import SHELTER
from stockroom.embedded.postgres import EmbeddedPostgres

QUICK = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@contextmanager
def new_folder(mode: int) -> Iterator[Path]:
    """A folder that goes away together with the shelters that links in it point to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(mode)
        yield Path(name)
        for link in Path(name).rglob("*"):
            if link.is_symlink() and link.readlink().parent == SHELTER:
                shutil.rmtree(link.readlink(), ignore_errors=True)
    with suppress(OSError):
        SHELTER.rmdir()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can enter, unlike pytest's own."""
    with new_folder(0o755) as folder:
        yield folder


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only the account that runs the tests can enter."""
    with new_folder(0o700) as folder:
        yield folder


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A server's home that the tests of a module share: making its database takes a while."""
    with new_folder(0o755) as folder:
        yield folder / "instance" / "postgres"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is not started yet, and does not outlive the test."""
    server = EmbeddedPostgres(home, settings=QUICK)
    yield server
    if server.running:
        server.start()
    server.stop()
    assert not server.running


@pytest.fixture
def serve(folder: Path, closed_folder: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Make a server on a home of the test's own, in `folder` or `closed_folder`."""
    servers: list[EmbeddedPostgres] = []

    def make(home: Path, **settings: str) -> EmbeddedPostgres:
        assert home.is_relative_to(folder) or home.is_relative_to(closed_folder)
        servers.append(EmbeddedPostgres(home, settings=QUICK | settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()

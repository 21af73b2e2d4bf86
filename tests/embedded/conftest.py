"""Folders and servers for the tests of the private servers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stockroom.embedded.place import SHELTER
from stockroom.embedded.postgres import EmbeddedPostgres

QUICK = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only the account that runs the tests can enter."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        for link in Path(name).rglob("*"):
            if link.is_symlink() and link.readlink().parent == SHELTER:
                shutil.rmtree(link.readlink(), ignore_errors=True)
    with suppress(OSError):
        SHELTER.rmdir()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A server's home that the tests of a module share: making its database takes a while."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "instance" / "postgres"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is not started yet, and does not outlive the test."""
    server = EmbeddedPostgres(home, settings=QUICK)
    yield server
    if server.running:
        server.start()
    server.stop()
    assert not server.running

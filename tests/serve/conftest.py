"""The service, started in a folder of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.web import free_port
from tests.serve.served import Serve, Served, postgres_of


@pytest.fixture
def instance() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stockroom-serve-"))
    # As root, PostgreSQL runs under another account, which has to reach its data.
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def serve(instance: Path, tmp_path: Path) -> Iterator[Serve]:
    """Starts the service again and again, on one port and one instance folder."""
    port = free_port()
    started: list[Served] = []

    def start() -> Served:
        started.append(Served(instance, port, tmp_path / f"output-{len(started)}.txt"))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.interrupt()
    # A killed server leaves its database behind; the next one to stop takes it along.
    if postgres_of(instance):
        start().interrupt()
    assert not postgres_of(instance)

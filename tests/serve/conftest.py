"""The service, started in a folder of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.web import free_port
from tests.serve.served import LOOPBACK, Serve, Served, postgres_of


@pytest.fixture
def instance() -> Iterator[Path]:
    with _new_instance() as folder:
        yield folder


@pytest.fixture
def serve(instance: Path, tmp_path: Path) -> Iterator[Serve]:
    """Starts the service again and again, on one port and one instance folder."""
    with _service(instance, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service after its first start, for tests that leave it as it is."""
    with _new_instance() as folder, _service(folder, tmp_path_factory.mktemp("served")) as start:
        yield start()


@contextmanager
def _new_instance() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stockroom-serve-"))
    # As root, PostgreSQL runs under another account, which has to reach its data.
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _service(instance: Path, outputs: Path) -> Iterator[Serve]:
    port = free_port()
    started: list[Served] = []

    def start(host: str = LOOPBACK) -> Served:
        started.append(Served(instance, port, outputs / f"output-{len(started)}.txt", host))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.interrupt()
    # A killed server leaves its database behind; the next one to stop takes it along.
    if postgres_of(instance):
        start().interrupt()
    assert not postgres_of(instance)

"""An engine starts the server when it first connects, and again when it is gone."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from stockroom.embedded.attach import attach
from stockroom.embedded.postgres import EmbeddedPostgres
from tests.embedded.processes import run
from tests.threads import until


@pytest.fixture
def engine(server: EmbeddedPostgres) -> Iterator[Engine]:
    engine = create_engine("postgresql+psycopg2://", poolclass=NullPool)
    attach(engine, server)
    yield engine
    engine.dispose()


def who(engine: Engine) -> object:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT current_user"))


def test_an_attached_engine_starts_nothing_by_itself(
    engine: Engine, server: EmbeddedPostgres
) -> None:
    assert engine.dialect.name == "postgresql"
    assert not server.running


def test_the_first_connection_starts_the_server(engine: Engine, server: EmbeddedPostgres) -> None:
    assert who(engine) == "stockroom"
    assert server.running


def test_a_server_that_is_gone_is_started_again(engine: Engine, server: EmbeddedPostgres) -> None:
    who(engine)
    os.kill(server.pid or 0, signal.SIGKILL)
    until(lambda: not server.running)

    assert who(engine) == "stockroom"


def test_a_refusal_by_a_living_server_is_passed_on(server: EmbeddedPostgres) -> None:
    engine = create_engine("postgresql+psycopg2://?options=-c%20nonsense%3D1", poolclass=NullPool)
    attach(engine, server)

    with pytest.raises(OperationalError, match="nonsense"):
        who(engine)


def test_a_forked_worker_connects_and_leaves_the_server_to_its_parent(
    server: EmbeddedPostgres, home: Path
) -> None:
    script = """
from sqlalchemy import NullPool, create_engine
from stockroom.embedded.attach import attach
engine = create_engine("postgresql+psycopg2://", poolclass=NullPool)
attach(engine, server)
engine.connect().close()
if not (child := os.fork()):
    engine.connect().close()
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print(server.running)
"""
    assert run(home, script) == "True"
    assert not server.running

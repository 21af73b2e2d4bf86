"""The servers that the tests run against, and the fixtures that every test may use."""

import gc
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from hypothesis import settings as hypothesis_settings
from limits.storage import MemoryStorage
from sqlalchemy.engine import make_url

from stockroom.app import create_app
from stockroom.auth.signing import key_ring
from stockroom.config import Environment, Settings
from stockroom.core.cache import memory
from stockroom.core.logging import configure
from stockroom.core.permissions import Role
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import cache, db, limiter
from stockroom.users.models import User
from tests import pgbouncer
from tests.api import Api
from tests.factories.users import make_user, token_for
from tests.leaks import WATCH
from tests.servers import Servers, all_events, empty_tables
from tests.statements import statements as statements_of

SERVERS = pytest.StashKey[Servers]()

# How long an example takes says something of the machine alone.
hypothesis_settings.register_profile("stockroom", deadline=None)
hypothesis_settings.load_profile("stockroom")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pgbouncer", action="store_true", help="put a PgBouncer in front of the databases"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers once for the whole run, before any worker asks for them."""
    config = session.config
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[SERVERS] = Servers.start(pooled=config.option.pgbouncer)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what the tests are made of out of the search for garbage: none of it ever is."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: nobody waits for it alone when all else is done."""
    items.sort(key=_minutes, reverse=True)


def _minutes(item: pytest.Item) -> float:
    marker = item.get_closest_marker("heavy")
    return float(marker.kwargs.get("minutes", 0)) if marker else 0


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["servers"] = node.config.stash[SERVERS].addresses


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(SERVERS, None):
        servers.stop()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> dict[str, str]:
    """The addresses of the servers: ``postgres`` (up to the database's name) and ``redis``; and
    ``pgbouncer``, like ``postgres``, if one stands in front of it.
    """
    if hasattr(request.config, "workerinput"):
        addresses: dict[str, str] = request.config.workerinput["servers"]
        return addresses
    return request.config.stash[SERVERS].addresses


@pytest.fixture(scope="session")
def settings(
    servers: dict[str, str], worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings of a test's application: a database of this worker's own, and cheap passwords."""
    return Settings(
        environment=Environment.TESTING,
        instance_path=tmp_path_factory.mktemp("instance"),
        database_url=Servers.database(servers, f"test_{worker_id}"),
        secret_key="a secret of the tests alone",
        jwt_secret_key="another secret of the tests alone",
        encryption_keys=[Fernet.generate_key().decode()],
        password_memory_kib=8,
        password_passes=1,
        rate_limit="100000 per second",
        rate_limit_login="100000 per second",
        rate_limit_refresh="100000 per second",
        rate_limit_register="100000 per second",
        rate_limit_mail="100000 per second",
        log_file=tmp_path_factory.mktemp("logs") / "stockroom.log",
        log_level=20,
        **(pgbouncer.SETTINGS if "pgbouncer" in servers else {}),
    )


@pytest.fixture(scope="session")
def database(settings: Settings) -> str:
    """The name of this worker's database, for who reaches it by another way."""
    name = make_url(settings.database_url).database
    assert name
    return name


@pytest.fixture(scope="session")
def shared_app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture(scope="session")
def log(shared_app: Flask, settings: Settings) -> Iterator[TextIO]:
    """The log of all applications of this worker, read from where the test before has ended."""
    assert settings.log_file is not None
    with settings.log_file.open(encoding="utf-8") as log:
        yield log


@pytest.fixture
def app(shared_app: Flask, settings: Settings, log: TextIO) -> Iterator[Flask]:
    """The application, on empty tables; nothing of a test may leave a secret in log or events."""
    WATCH.forget()
    yield shared_app
    # The one limiter of the process counts where the last application said, and remembers that a
    # Redis went away.
    if not isinstance(limiter.storage, MemoryStorage):
        create_app(settings)
    limiter._storage_dead = False  # noqa: SLF001 - it has no other way to forget
    with shared_app.app_context():
        events = all_events(db.engine)
        empty_tables(db.engine)
        cache.clear()
        memory().clear()
        limiter.reset()
        key_ring().forget()
    logged = log.read().splitlines()
    assert WATCH.found_in([*events, *logged]) == []


@pytest.fixture
def app_context(app: Flask) -> Iterator[None]:
    """For tests that call services; requests of a test client bring a context of their own."""
    with app.app_context():
        yield


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement that goes to the database of ``app``."""
    with statements_of(app) as seen:
        yield seen


@pytest.fixture
def make_app(app: Flask, settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Applications with other settings, on the same database as ``app``."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(create_app(replace(settings, **changes)))
        return made[-1]

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()
    # The last application has said how the process logs, and where to: maybe to what is closed now.
    configure(settings)


@pytest.fixture
def nobody(app: Flask) -> Api:
    """A client without credentials."""
    return Api(app)


@pytest.fixture
def customer(app: Flask) -> Api:
    return Api(app, token_for(app, make_user(app, role=Role.CUSTOMER)))


@pytest.fixture
def staff(app: Flask) -> Api:
    return Api(app, token_for(app, make_user(app, role=Role.STAFF)))


@pytest.fixture
def admin(app: Flask) -> Api:
    return Api(app, token_for(app, make_user(app, role=Role.ADMIN)))


@pytest.fixture
def user(app: Flask) -> User:
    """Somebody with an account and no rights beyond it."""
    return make_user(app, email="ada@example.com")


@pytest.fixture
def ada(app: Flask, user: User) -> Api:
    return Api(app, token_for(app, user))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis of the test's own, which it may stop."""
    server = EmbeddedRedis(tmp_path)
    server.start()
    yield server
    server.stop()

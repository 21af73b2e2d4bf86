"""How long an event takes from its commit to a client that follows over a WebSocket.

    python -m bench.latency [--redis] [--seconds 20] [--rate 100]

A process writes products at an even rate; the clock runs from the moment at which it sends one,
and so counts the disk as well. With ``--redis`` two processes serve, a third one relays.
Exit status 1 if the bounds do not hold.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import event
from websockets.sync.client import connect

from stockroom.app import create_app
from stockroom.config import Environment, Settings
from stockroom.core.background.engine import Engine
from stockroom.core.permissions import Role
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import db
from tests.contract import web
from tests.factories.products import make_product
from tests.factories.users import make_user, token_for
from tests.servers import migrate

MEDIAN_SECONDS = 0.050
P99_SECONDS = 0.250
WARM_UP_SECONDS = 2
PATIENCE_SECONDS = 30

# A new process of its own: a fork would share the connections of this one.
processes = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Load:
    rate: int
    seconds: int

    @property
    def count(self) -> int:
        return self.rate * (self.seconds + WARM_UP_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--redis", action="store_true", help="two web processes, and a relay")
    parser.add_argument("--seconds", type=int, default=20, help="how long to measure")
    parser.add_argument("--rate", type=int, default=100, help="events a second")
    arguments = parser.parse_args()
    load = Load(arguments.rate, arguments.seconds)
    with site(with_redis=arguments.redis) as settings:
        latencies = _measure(settings, load)
    return _report(latencies, load)


@contextmanager
def site(*, with_redis: bool, serve: bool = True) -> Iterator[Settings]:
    """A served application with servers of its own, as durable as they are by default.

    :param serve: whether gunicorn runs; else the caller serves with other settings.
    """
    home = Path(tempfile.mkdtemp(prefix="stockroom-bench-"))
    # As root, the server runs under another account, which has to reach its data.
    home.chmod(0o711)
    with ExitStack() as stack:
        stack.callback(_remove, home)
        postgres = EmbeddedPostgres(home / "postgres")
        stack.callback(postgres.stop)
        info = postgres.start()
        host = quote(info.host, safe="")
        address = f"postgresql://{info.user}@/{info.database}?host={host}&port={info.port}"
        migrate(address, home)
        settings = _settings(home, address, _redis(home, stack) if with_redis else "")
        if serve:
            stack.enter_context(web.serving(settings))
        if serve and with_redis:
            stack.enter_context(relaying(settings))
        yield settings


def _remove(home: Path) -> None:
    # As root, the data lies where a link leads.
    shutil.rmtree((home / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _redis(home: Path, stack: ExitStack) -> str:
    redis = EmbeddedRedis(home / "redis")
    stack.callback(redis.stop)
    return redis.start()


def _settings(home: Path, database_url: str, redis_url: str) -> Settings:
    return Settings(
        environment=Environment.TESTING,
        instance_path=home,
        port=web.free_port(),
        database_url=database_url,
        redis_url=redis_url,
        web_concurrency=2 if redis_url else 1,
        secret_key="a secret of the bench alone",  # noqa: S106 - protects nothing
        jwt_secret_key="another secret of the bench alone",  # noqa: S106 - protects nothing
        encryption_keys=[Fernet.generate_key().decode()],
        log_level=30,
    )


@contextmanager
def relaying(settings: Settings) -> Iterator[None]:
    """What a worker of Celery does, in a process of its own."""
    over = processes.Event()
    process = processes.Process(target=_relay, args=[settings, over])
    process.start()
    try:
        yield
    finally:
        over.set()
        process.join(PATIENCE_SECONDS)


def _relay(settings: Settings, over: Any) -> None:
    engine = Engine(create_app(settings))
    engine.start()
    over.wait()
    engine.stop()


def _measure(settings: Settings, load: Load) -> list[float]:
    """Seconds from commit to client for each event, those of the warm-up left out."""
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {token_for(app, make_user(app, role=Role.STAFF))}"}
    address = f"ws://127.0.0.1:{settings.port}/api/v1/events/ws?after=0&types=product.created"
    committed = processes.SimpleQueue()
    writer = processes.Process(target=_write, args=[settings, load, committed])
    arrived: dict[str, float] = {}
    with connect(address, additional_headers=headers, proxy=None) as socket:
        writer.start()
        while len(arrived) < load.count:
            message = json.loads(socket.recv(PATIENCE_SECONDS))
            if "id" in message:
                arrived[message["subject"]] = monotonic()
    sent: dict[str, float] = committed.get()
    writer.join(PATIENCE_SECONDS)
    warm = list(sent)[load.rate * WARM_UP_SECONDS :]
    return [arrived[subject] - sent[subject] for subject in warm]


def _write(settings: Settings, load: Load, committed: Any) -> None:
    """Create products at an even rate; tell when each was committed, by its id."""
    app = create_app(settings)
    commits = _commits_of(app)
    sent = {}
    begin = monotonic()
    for number in range(load.count):
        sleep(max(0.0, begin + number / load.rate - monotonic()))
        product = make_product(app)
        sent[str(product.id)] = commits[-1]
    committed.put(sent)


def _commits_of(app: Flask) -> list[float]:
    """The moments at which this process sends what is committed, as they come."""
    commits: list[float] = []
    with app.app_context():
        # The last message of a write is all of it, and commits itself.
        event.listen(db.engine, "before_cursor_execute", lambda *_: commits.append(monotonic()))
    return commits


def _report(latencies: list[float], load: Load) -> int:
    median = statistics.median(latencies)
    p99 = statistics.quantiles(latencies, n=100)[98]
    print(f"{len(latencies)} events at {load.rate} a second, from commit to client:")
    print(f"  median {median * 1000:6.1f} ms (bound {MEDIAN_SECONDS * 1000:.0f})")
    print(f"  p99    {p99 * 1000:6.1f} ms (bound {P99_SECONDS * 1000:.0f})")
    print(f"  max    {max(latencies) * 1000:6.1f} ms")
    holds = median < MEDIAN_SECONDS and p99 < P99_SECONDS
    print("The bounds hold." if holds else "The bounds do not hold.")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())

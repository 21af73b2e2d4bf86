"""How far webhooks fall behind at 300 events a second, while one of three receivers is slow.

    python -m bench.deliveries [--seconds 20] [--rate 300]

Four processes, as in real life: PostgreSQL of its own; a writer that commits events; the one that
relays and delivers, as a web process without Redis does; the receivers. For each event and receiver
it measures the time from the commit to the arrival. Exit status 1 if a quick receiver missed an
event, or got one more than two seconds late.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TextIO
from urllib.parse import quote

from cryptography.fernet import Fernet
from flask import Flask

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from stockroom.app import create_app  # noqa: E402 - found by the line above
from stockroom.config import Environment, Settings  # noqa: E402
from stockroom.core.background.engine import Engine  # noqa: E402
from stockroom.core.database import new_id  # noqa: E402
from stockroom.core.transaction import transaction  # noqa: E402
from stockroom.embedded.postgres import EmbeddedPostgres  # noqa: E402
from stockroom.outbox.service import record  # noqa: E402
from stockroom.outbox.types import EventType  # noqa: E402
from stockroom.webhooks import service  # noqa: E402
from tests.servers import migrate  # noqa: E402

BOUND_SECONDS = 2.0
SLOW_SECONDS = 10
WRITERS = 4
RECEIVERS = ("quick 1", "quick 2", "slow")
EVENT = {"sku": "MUG-BLUE", "name": "Blue mug", "price": "9.50", "currency": "EUR", "version": 1}


def main() -> int:
    arguments = _arguments()
    if arguments.part:
        return int(PARTS[arguments.part](arguments) or 0)
    home = Path(tempfile.mkdtemp(prefix="stockroom-bench-"))
    # As root, the server runs under another account, which has to reach its data.
    home.chmod(0o711)
    postgres = EmbeddedPostgres(home / "postgres")
    try:
        info = postgres.start()
        address = f"postgresql://{info.user}@/{info.database}?host={quote(info.host, safe='')}"
        (home / "settings.json").write_text(
            json.dumps({"address": f"{address}&port={info.port}", "key": _key()})
        )
        migrate(f"{address}&port={info.port}", home)
        _measure(home, arguments)
        return _report(home, arguments)
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measure(home: Path, arguments: argparse.Namespace) -> None:
    """Let all parts run until what was written has had its time to arrive."""
    with ExitStack() as parts:
        parts.enter_context(_part(home, "receivers", arguments))
        _wait_for(home / "ports.json")
        parts.enter_context(_part(home, "engine", arguments))
        _wait_for(home / "ready")
        with _part(home, "writer", arguments) as writer:
            writer.wait(timeout=arguments.seconds * 3 + 60)
        time.sleep(2 * BOUND_SECONDS)


def _report(home: Path, arguments: argparse.Namespace) -> int:
    committed = _times(home / "committed")
    took = max(committed.values()) - min(committed.values())
    print(f"{len(committed)} events in {took:.1f} s: {len(committed) / took:.0f} a second")
    holds = len(committed) / took > 0.95 * arguments.rate
    for name in RECEIVERS:
        arrived = _times(home / name)
        behind = sorted(at - committed[key] for key, at in arrived.items())
        percentile = quantiles(behind, n=100)[98] if len(behind) > 1 else behind[0]
        print(
            f"{name:8} {len(behind):6} of {len(committed)}   median {median(behind) * 1000:7.0f} ms"
            f"   p99 {percentile * 1000:7.0f} ms   max {behind[-1] * 1000:7.0f} ms"
        )
        if name != "slow":
            holds &= len(behind) == len(committed) and behind[-1] <= BOUND_SECONDS
    print(f"The bound of {BOUND_SECONDS:.0f} seconds {'holds' if holds else 'DOES NOT HOLD'}.")
    return 0 if holds else 1


def run_receivers(arguments: argparse.Namespace) -> None:
    asyncio.run(_receive(arguments.home))


async def _receive(home: Path) -> None:
    loop, ports, stop = asyncio.get_running_loop(), {}, asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    with ExitStack() as files:
        for name in RECEIVERS:
            log = files.enter_context((home / name).open("w", buffering=1))

            made = partial(_Receiver, log, SLOW_SECONDS if name == "slow" else 0)
            server = await loop.create_server(made, "127.0.0.1", 0)
            ports[name] = server.sockets[0].getsockname()[1]
        (home / "ports.tmp").write_text(json.dumps(ports))
        (home / "ports.tmp").rename(home / "ports.json")
        await stop.wait()


class _Receiver(asyncio.Protocol):
    """HTTP, as far as it takes to note when a request arrived, and to answer it."""

    _transport: asyncio.WriteTransport

    def __init__(self, log: TextIO, wait: float) -> None:
        self._log, self._wait, self._buffer = log, wait, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        headers = {name.lower(): value.strip() for name, _, value in lines}
        length = int(headers.get(b"content-length", 0))
        if not separator or len(rest) < length:
            return
        self._buffer = rest[length:]
        self._log.write(f"{headers[b'webhook-id'].decode()} {time.time()}\n")
        loop = asyncio.get_running_loop()
        loop.call_later(self._wait, self._answer) if self._wait else self._answer()

    def _answer(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def run_engine(arguments: argparse.Namespace) -> None:
    """What a web process without Redis does beside answering requests."""
    app = _app(arguments.home)
    ports = json.loads((arguments.home / "ports.json").read_text())
    with app.app_context():
        for port in ports.values():
            service.create({"url": f"http://127.0.0.1:{port}/hook", "events": ["product.*"]})
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    engine = Engine(app)
    engine.start()
    (arguments.home / "ready").touch()
    while not stopped:
        time.sleep(0.2)
    times = os.times()
    print(f"relay and deliveries used {times.user + times.system:.1f} s of processor time")
    engine.stop()


def run_writer(arguments: argparse.Namespace) -> None:
    """Four clients, as one alone would wait for its commits most of the time."""
    app = _app(arguments.home)
    begin, count = time.monotonic(), int(arguments.rate * arguments.seconds)

    def write(first: int) -> list[str]:
        lines = []
        with app.app_context():
            for number in range(first, count, WRITERS):
                time.sleep(max(0.0, begin + number / arguments.rate - time.monotonic()))
                with transaction() as session:
                    event_id = record(session, EventType.PRODUCT_CREATED, new_id(), EVENT)
                lines.append(f"{event_id} {time.time()}\n")
        return lines

    with ThreadPoolExecutor(WRITERS) as threads:
        written = [line for lines in threads.map(write, range(WRITERS)) for line in lines]
    (arguments.home / "committed").write_text("".join(written))


def _app(home: Path) -> Flask:
    told = json.loads((home / "settings.json").read_text())
    return create_app(
        Settings(
            environment=Environment.TESTING,
            instance_path=home,
            database_url=told["address"],
            secret_key="of the bench alone",  # noqa: S106 - protects nothing
            jwt_secret_key="also of the bench alone",  # noqa: S106 - protects nothing
            encryption_keys=[told["key"]],
            webhook_http=True,
            webhook_networks=["127.0.0.0/8"],
            log_level=30,
        )
    )


@contextmanager
def _part(
    home: Path, name: str, arguments: argparse.Namespace
) -> Iterator[subprocess.Popen[bytes]]:
    options = [f"--seconds={arguments.seconds}", f"--rate={arguments.rate}"]
    command = [sys.executable, __file__, *options, f"--part={name}", f"--home={home}"]
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603 - this very file
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.05)


def _times(path: Path) -> dict[str, float]:
    """When each event was seen for the first time."""
    seen: dict[str, float] = {}
    for line in path.read_text().splitlines():
        key, at = line.split()
        seen.setdefault(key, float(at))
    return seen


def _key() -> str:
    return Fernet.generate_key().decode()


PARTS = {"receivers": run_receivers, "engine": run_engine, "writer": run_writer}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--part", choices=sorted(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

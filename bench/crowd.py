"""A thousand users at once, for ten minutes, with a rolling restart among them.

    python -m bench.crowd [--users 1000] [--minutes 10] [--html instance/crowd.html]

Two workers, a relay, PostgreSQL and Redis on this machine, with the settings of production: no
limit is raised, as each user comes from an address of its own. All sign in within the first fifth
of the time; after two fifths gunicorn gets SIGHUP. locust plays the users, and writes its charts.
Exit status 1 if a bound is missed.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

import psutil
from flask import Flask

from bench.accounts import PASSWORD, make_accounts
from bench.cases import searches, some_products
from bench.catalogue import load, products
from bench.latency import relaying
from bench.memory import Memory
from bench.report import Check, checks, machine
from bench.shop import backstage, shop
from stockroom.config import ROOT
from stockroom.core.permissions import Role
from stockroom.extensions import db
from tests.contract import web

PRODUCTS = 50_000
RAMP, RESTART = 1 / 5, 2 / 5
"""Parts of the whole time."""
SAMPLE_SECONDS = 2
READ_P99_MS = 300
WORKER_MB = 200
GROWTH = 0.02


def main() -> int:
    arguments = _arguments()
    with shop() as settings:
        # The users say where they come from.
        served = replace(settings, trusted_proxies=1)
        load(served.database_url, PRODUCTS)
        folder = served.instance_path
        (folder / "shop.json").write_text(json.dumps(_document(backstage(served), arguments)))
        with web.serving(served) as serving, relaying(served):
            memory = _play(serving, folder, arguments)
        figures = json.loads((folder / "figures.json").read_text())
    print(f"{arguments.users} users for {arguments.minutes:g} minutes; {machine()}")
    print(f"{figures['requests']:,} requests; charts in {arguments.html}\n")
    found = [*_checks(figures["read_ms"], figures["failures"], memory)]
    print(checks(found))
    return 0 if all(check.holds for check in found) else 1


def _document(app: Flask, arguments: argparse.Namespace) -> dict[str, object]:
    """All that locust's process has to know of the shop."""
    emails = {
        role: make_accounts(app, arguments.users, role) for role in (Role.CUSTOMER, Role.STAFF)
    }
    found = some_products(app)
    with app.app_context():
        db.engine.dispose()
    return {
        "password": PASSWORD,
        "emails": emails,
        "products": [{"id": str(each.id), "sku": each.sku} for each in found],
        "searches": list(searches(found)),
        "new": list(products(0, 100)),
    }


def _play(serving: web.Web, folder: Path, arguments: argparse.Namespace) -> Memory:
    """Let locust play the users; restart the workers meanwhile, and watch their memory."""
    begin, memory = time.monotonic(), Memory(serving.pid)
    restart_at = begin + RESTART * arguments.minutes * 60
    with subprocess.Popen(_locust(serving, folder, arguments), cwd=ROOT) as locust:  # noqa: S603 - ours
        while locust.poll() is None:
            memory.sample()
            if restart_at is not None and time.monotonic() > restart_at:
                psutil.Process(serving.pid).send_signal(signal.SIGHUP)
                restart_at = None
            time.sleep(SAMPLE_SECONDS)
    return memory


def _locust(serving: web.Web, folder: Path, arguments: argparse.Namespace) -> list[str]:
    arguments.html.parent.mkdir(exist_ok=True)
    ramp_seconds = RAMP * arguments.minutes * 60
    return [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--loglevel=WARNING"),
        *(f"--locustfile={Path(__file__).with_name('crowd_users.py')}", f"--host={serving.url}"),
        *(f"--users={arguments.users}", f"--spawn-rate={arguments.users / ramp_seconds}"),
        *(f"--run-time={arguments.minutes * 60:.0f}", "--stop-timeout=30"),
        *(f"--html={arguments.html}", f"--shop={folder / 'shop.json'}"),
        f"--figures={folder / 'figures.json'}",
    ]


def _checks(read_ms: list[float], failures: list[str], memory: Memory) -> Iterator[Check]:
    yield Check("failed requests", len(failures), 0)
    yield Check("p99 of reads, ms", quantiles(read_ms, n=100)[98], READ_P99_MS)
    yield Check("largest worker, MB", memory.largest_mb(), WORKER_MB)
    yield Check("growth of a worker in the second half", memory.growth(), GROWTH)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--html", type=Path, default=ROOT / "instance" / "crowd.html")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

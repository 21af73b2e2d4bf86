"""A thousand connections that are kept alive and ask without a pause, against sixteen.

    python -m bench.keepalive [--seconds 60] [--connections 1000]

wrk asks for hot products over either, with the settings of ``bench.table``. Exit status 1 if a
request fails, or a bound is missed.
"""

import argparse
import sys
from pathlib import Path

from bench import wrk
from bench.cases import reads
from bench.catalogue import load
from bench.report import Check, checks, machine
from bench.shop import backstage, for_one_caller, shop
from stockroom.config import Settings
from stockroom.extensions import db
from tests.contract import web

PRODUCTS = 50_000
WARM_UP_SECONDS = 3
P99_MS = 1_500
BOUND = 0.85


def main() -> int:
    arguments = _arguments()
    with shop() as settings:
        served = for_one_caller(settings)
        load(served.database_url, PRODUCTS)
        file = _requests(served)
        with web.serving(served) as serving:
            # The first of the processes to be ready would have all connections to itself.
            wrk.run(serving.url, file, seconds=WARM_UP_SECONDS)
            few, many = (
                wrk.run(serving.url, file, seconds=arguments.seconds, connections=connections)
                for connections in (wrk.CONNECTIONS, arguments.connections)
            )
    for connections, figures in {wrk.CONNECTIONS: few, arguments.connections: many}.items():
        speed, times = figures.requests_a_second, (figures.p50_ms, figures.p99_ms)
        print(
            f"{connections:5} connections: {speed:,.0f} requests a second,"
            " p50 {:.1f} ms, p99 {:.1f} ms".format(*times)
        )
    found = [
        Check("p99, ms", many.p99_ms, P99_MS),
        Check(
            "requests, for one over sixteen",
            many.requests / few.requests,
            BOUND,
            more_is_better=True,
        ),
    ]
    print(f"{machine()}\n\n{checks(found)}")
    return 0 if all(check.holds for check in found) else 1


def _requests(settings: Settings) -> Path:
    app = backstage(settings)
    hot = next(case for case in reads(app) if case.name == "product-hot")
    with app.app_context():
        db.engine.dispose()
    return wrk.write(settings.instance_path / "hot", hot.requests)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="with either number")
    parser.add_argument("--connections", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

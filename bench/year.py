"""A real year of a shop, sent by sixteen clients over HTTP: invoices and lines a second.

    python -m bench.year [--lines 50000] [--half]

Each sale is reserved and committed, each cancellation returned, each write-off an adjustment. What
is on hand at the end is compared with what a plain script makes of the accepted invoices. It needs
the invoices of the UCI data set "Online Retail", and says so where they are missing.
"""

import argparse
import sys
import time
from dataclasses import replace

from bench.latency import site
from stockroom.app import create_app
from stockroom.core.permissions import Role
from stockroom.extensions import db
from tests.contract import web
from tests.factories.users import make_user, token_for
from tests.stock import year
from tests.stock.test_year import assert_as_plainly

WORKERS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=year.ALL_LINES, help="of the file; all")
    parser.add_argument("--half", action="store_true", help="open with half of what is sold")
    arguments = parser.parse_args()
    if not year.LINES.exists():
        print(f"There is no {year.LINES.name}: nothing is measured.")
        return 0
    divisor = 2 if arguments.half else 1
    documents = year.documents(arguments.lines)
    with site(with_redis=True, serve=False) as settings:
        shop = replace(settings, web_concurrency=WORKERS, rate_limit="1000000 per second")
        app = create_app(shop)
        ids = year.open_stock(app, documents, divisor)
        token = token_for(app, make_user(app, role=Role.STAFF))
        with app.app_context():
            db.engine.dispose()
        with web.serving(shop):
            begin = time.monotonic()
            done = year.replay(shop.port, token, documents, ids)
            seconds = time.monotonic() - begin
        assert_as_plainly(
            app, done, shop.instance_path, divisor=divisor, most_lines=arguments.lines
        )
    print(f"{done.invoices:,} invoices with {done.lines:,} lines in {seconds:.0f} s:")
    print(f"{done.invoices / seconds:.0f} invoices and {done.lines / seconds:.0f} lines a second")
    print(f"answers: {dict(sorted(done.statuses.items()))}; every counter is the plain script's")
    return 0


if __name__ == "__main__":
    sys.exit(main())

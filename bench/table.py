"""Requests a second of what is asked most, against the least that a server can do.

    python -m bench.table [--seconds 4] [--rounds 5] [--cases product-hot,login]

Stockroom, a bare WSGI application and a bare Flask route are served by gunicorn with the same
settings; both bare ones answer with the bytes that Stockroom answers. wrk asks one after the other
in each round, over 16 connections, with a customer's token. Exit status 1 if a bound is missed.
"""

import argparse
import logging
import sys
from dataclasses import replace

from bench import rounds
from bench.accounts import make_accounts
from bench.cases import all_cases
from bench.catalogue import load
from bench.report import machine, table
from bench.shop import for_one_caller, shop
from stockroom.app import create_app
from stockroom.extensions import db

PRODUCTS = 50_000
ACCOUNTS = 1_000


def main() -> int:
    arguments = _arguments()
    with shop() as settings:
        served = for_one_caller(settings)
        load(served.database_url, PRODUCTS)
        # What is asked of this process is no traffic of the shop's.
        app = create_app(replace(served, log_level=logging.WARNING))
        cases = all_cases(app, make_accounts(app, ACCOUNTS))
        chosen = [case for case in cases if case.name in (arguments.cases or case.name).split(",")]
        with app.app_context():
            db.engine.dispose()
        with rounds.subjects(served, chosen) as subjects:
            rows = rounds.measure(
                subjects, chosen, rounds=arguments.rounds, seconds=arguments.seconds
            )
    print(f"{PRODUCTS:,} products; medians of {arguments.rounds} rounds of {arguments.seconds:g} s")
    print(f"{machine()}\n")
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", help="some of them, with commas between")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

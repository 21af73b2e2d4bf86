"""Requests a second of what is asked for most, against the most that bare servers reach.

    python -m bench.table [--seconds 4] [--rounds 5] [--cases product-hot,login]

Stockroom, a bare WSGI application and a bare Flask route are served by gunicorn with the same
settings; both bare ones answer with the bytes that Stockroom answers. wrk asks one after the other
in each round, over 16 connections, with a customer's token. Exit status 1 if a bound is missed.
"""

import argparse
import sys
from collections.abc import Sequence

from bench import rounds
from bench.accounts import make_accounts
from bench.cases import Case, all_cases
from bench.catalogue import load
from bench.report import machine, table
from bench.shop import backstage, for_one_caller, shop
from stockroom.extensions import db

PRODUCTS = 50_000
ACCOUNTS = 1_000


def main() -> int:
    arguments = _arguments()
    with shop() as settings:
        served = for_one_caller(settings)
        load(served.database_url, PRODUCTS)
        app = backstage(served)
        cases = all_cases(app, make_accounts(app, ACCOUNTS))
        chosen = _chosen(cases, arguments.cases)
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


def _chosen(cases: Sequence[Case], names: str | None) -> Sequence[Case]:
    """:raises SystemExit: if there is no case of one of the names."""
    by_name = {case.name: case for case in cases}
    wanted = names.split(",") if names else by_name
    if unknown := set(wanted) - set(by_name):
        raise SystemExit(f"No such cases: {', '.join(unknown)}; there are {', '.join(by_name)}.")
    return [by_name[name] for name in wanted]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", help="some of them, with commas between")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

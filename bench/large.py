"""Whether a catalogue of a million products costs more than one of fifty thousand.

    python -m bench.large [--seconds 4] [--rounds 5] [--products 1000000]

Costs are ratios to a bare Flask route in the same rounds. A page far behind is compared with the
first one as staff see them, who always read fresh: nothing of them comes from a cache. Exit status
1 if a bound is missed.
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from flask import Flask
from sqlalchemy import select

from bench import rounds
from bench.cases import FLASK, Case, Client, cursors_behind, reads
from bench.catalogue import load
from bench.report import Check, checks, machine
from bench.rounds import Row
from bench.shop import backstage, for_one_caller, shop
from stockroom.config import Settings
from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.products.models import Product
from tests.factories.users import make_user, token_for

SMALL = 50_000
PAGE = 20
DEPTH = 0.98
"""Where the far page begins, as a part of the list."""
WARM_UP_SECONDS = 10
"""So that PostgreSQL has read all the products once that are asked for, however many there are."""
GROWTH_BOUND = 1.2
DEPTH_BOUND = 1.5


def main() -> int:
    arguments = _arguments()
    with shop() as settings:
        served = for_one_caller(settings)
        app = backstage(served)
        load(served.database_url, SMALL)
        small = _measure(app, served, arguments)
        load(served.database_url, arguments.products - SMALL)
        large = _measure(app, served, arguments)
    found = [*_growth(small, large, arguments.products), _depth(large, arguments.products)]
    print(f"{machine()}; medians of {arguments.rounds} rounds of {arguments.seconds:g} s\n")
    print(checks(found))
    return 0 if all(check.holds for check in found) else 1


def _measure(app: Flask, settings: Settings, arguments: argparse.Namespace) -> dict[str, Row]:
    """:raises SystemExit: if an answer is not as expected."""
    cases = [case for case in reads(app) if case.name in {"list-hot", "product"}]
    cases += _pages(app)
    with app.app_context():
        db.engine.dispose()
    with rounds.subjects(settings, cases) as subjects:
        rows = rounds.measure(
            subjects,
            cases,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            warm_up=WARM_UP_SECONDS,
        )
    if failures := [failure for row in rows for failure in row.failures]:
        raise SystemExit("\n".join(failures))
    return {row.case.name: row for row in rows}


def _pages(app: Flask) -> Sequence[Case]:
    """The first page, and one far behind."""
    staff = Client(token_for(app, make_user(app, role=Role.STAFF)))
    with app.app_context():
        count = db.session.query(Product).count()
        newest_first = select(Product.id).order_by(Product.id.desc())
        last = db.session.scalars(newest_first.offset(int(count * DEPTH) - 1).limit(1)).one()
    first, (cursor,) = f"/products?limit={PAGE}", cursors_behind(app, [last])
    return [
        Case("first", "first page", 0, [staff.get(first)], ceilings=[FLASK]),
        Case(
            "far", "page far behind", 0, [staff.get(f"{first}&cursor={cursor}")], ceilings=[FLASK]
        ),
    ]


def _growth(small: dict[str, Row], large: dict[str, Row], products: int) -> list[Check]:
    return [
        Check(
            f"{small[name].case.title}: {products:,} against {SMALL:,}",
            small[name].part_of(FLASK) / large[name].part_of(FLASK),
            GROWTH_BOUND,
        )
        for name in ("product", "list-hot")
    ]


def _depth(large: dict[str, Row], products: int) -> Check:
    title = f"page of {PAGE}: at {products * DEPTH:,.0f} against the first"
    ratio = median(large["first"].rates()) / median(large["far"].rates())
    return Check(title, ratio, DEPTH_BOUND)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--products", type=int, default=1_000_000, help="in the end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

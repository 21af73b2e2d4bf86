"""Whether the time of an answer tells who has an account.

    python -m bench.timing [--calls 200]

Logs in with a wrong password, registers, and asks for a new password, each for addresses that have
an account and for others, in turns. Exit status 1 if the medians of the two differ by five per cent
or more. A web process as in production, which leaves the jobs to others; PostgreSQL is as durable,
and passwords cost as much, as by default.
"""

import argparse
import json
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from time import perf_counter

from flask import Flask
from urllib3 import HTTPConnectionPool

from bench.latency import site
from stockroom.app import create_app
from stockroom.config import Settings
from tests.contract import web
from tests.factories.users import make_user

BOUND = 0.05
WARM_UP_CALLS = 20
PASSWORD = "a passphrase of the bench alone"  # noqa: S105 - protects nothing

_numbers = count(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=200, help="of each kind")
    calls = parser.parse_args().calls
    with site(with_redis=True, serve=False) as settings:
        changed = _settings(settings)
        with web.serving(changed):
            client = Client(changed)
            known = _accounts(create_app(changed), calls + WARM_UP_CALLS)
            verdicts = [
                _compare("login", client.log_in, known, calls),
                _compare("register", client.register, known, calls),
                _compare("forgot", client.forget, known, calls),
            ]
    print("The bound holds." if all(verdicts) else "The bound does not hold.")
    return 0 if all(verdicts) else 1


class Client:
    """Calls from another network each time: failed logins must not make the next ones wait."""

    def __init__(self, settings: Settings) -> None:
        self._pool = HTTPConnectionPool("127.0.0.1", settings.port, maxsize=1)

    def log_in(self, email: str) -> float:
        return self._seconds("login", 401, email=email, password=f"{PASSWORD}, and wrong")

    def register(self, email: str) -> float:
        return self._seconds("register", None, email=email, password=PASSWORD)

    def forget(self, email: str) -> float:
        return self._seconds("password/forgot", 202, email=email)

    def _seconds(self, path: str, status: int | None, **body: str) -> float:
        number = next(_numbers)
        headers = {
            "Content-Type": "application/json",
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }
        begin = perf_counter()
        answer = self._pool.request(
            "POST", f"/api/v1/auth/{path}", body=json.dumps(body), headers=headers
        )
        seconds = perf_counter() - begin
        expected = {201, 409} if status is None else {status}
        assert answer.status in expected, answer.data
        return seconds


def _settings(settings: Settings) -> Settings:
    limits = ("rate_limit", "rate_limit_login", "rate_limit_register", "rate_limit_mail")
    # No limit is in the way, and the client says where it calls from.
    return replace(
        settings, web_concurrency=1, trusted_proxies=1, **dict.fromkeys(limits, "100000 per second")
    )


def _accounts(app: Flask, number: int) -> list[str]:
    return [make_user(app, password=PASSWORD).email for _ in range(number)]


def _compare(name: str, call: Callable[[str], float], known: list[str], calls: int) -> bool:
    """Call for known and unknown addresses in turns; whether the bound holds."""
    unknown = _unknown(name)
    for _ in range(WARM_UP_CALLS):
        call(known[-1 - next(_numbers) % WARM_UP_CALLS])
        call(next(unknown))
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for email in known[:calls]:
        # Neither kind is always the second one.
        for is_known in random.sample([True, False], 2):
            seconds[is_known].append(call(email if is_known else next(unknown)))
    medians = [statistics.median(seconds[is_known]) * 1000 for is_known in (True, False)]
    difference = abs(medians[0] - medians[1]) / min(medians)
    print(
        f"{name:9} known {medians[0]:6.2f} ms, unknown {medians[1]:6.2f} ms: "
        f"{difference:.1%} (bound {BOUND:.0%})"
    )
    return difference < BOUND


def _unknown(name: str) -> Iterator[str]:
    return (f"{name}{number}@unknown.example.com" for number in count(1))


if __name__ == "__main__":
    raise SystemExit(main())

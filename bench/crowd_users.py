"""What each of the thousand users of ``bench.crowd`` does; locust runs this file.

A customer reads and searches the catalogue, and reserves now and then; a member of staff writes.
Each has an account and an address of its own, signs in once, and acts every 2 to 8 seconds.
"""

import json
from http import HTTPStatus
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from locust import FastHttpUser, between, events, task
from locust.exception import StopUser

PREFIX = "/api/v1"
READ = "read: "
"""Begins the names of requests whose times have a bound."""
PATIENCE_SECONDS = 30

_shop: dict[str, Any] = {}
_read_ms: list[float] = []
_failures: list[str] = []
_numbers = count(1)
_chance = Random()  # noqa: S311 - no secret


@events.init_command_line_parser.add_listener
def _add_options(parser: Any) -> None:
    parser.add_argument("--shop", help="a file with the accounts, the products and words")
    parser.add_argument("--figures", help="the file for what was found")


@events.init.add_listener
def _open_shop(environment: Any, **_: Any) -> None:
    _shop.update(json.loads(Path(environment.parsed_options.shop).read_text()))


@events.request.add_listener
def _note(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
    if exception is not None:
        _failures.append(f"{name}: {exception!r}")
    if name.startswith(READ):
        _read_ms.append(response_time)


@events.quitting.add_listener
def _write_figures(environment: Any, **_: Any) -> None:
    figures = {
        "requests": environment.stats.total.num_requests,
        "read_ms": _read_ms,
        "failures": _failures,
    }
    Path(environment.parsed_options.figures).write_text(json.dumps(figures))


class Person(FastHttpUser):
    """Somebody who signs in, and comes from an address that nobody else has."""

    abstract = True
    wait_time = between(2, 8)
    connection_timeout = network_timeout = PATIENCE_SECONDS
    role: str

    def on_start(self) -> None:
        number = next(_numbers)
        self.headers = {
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        }
        credentials = {"email": _shop["emails"][self.role].pop(), "password": _shop["password"]}
        answer = self.send("POST", "/auth/login", "sign in", json=credentials)
        if answer.status_code != HTTPStatus.OK:
            raise StopUser
        self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method: str, path: str, name: str, **how: Any) -> Any:
        headers = {**self.headers, **how.pop("headers", {})}
        return self.client.request(method, f"{PREFIX}{path}", name=name, headers=headers, **how)


class Customer(Person):
    weight = 95
    role = "customer"

    @task(30)
    def see_the_newest(self) -> None:
        self.send("GET", "/products?limit=20", f"{READ}newest")

    @task(35)
    def look_at_one(self) -> None:
        self.send("GET", f"/products/{_a_product()['id']}", f"{READ}product")

    @task(20)
    def search(self) -> None:
        path = f"/products?limit=20&q={_chance.choice(_shop['searches'])}"
        self.send("GET", path, f"{READ}search")

    @task(10)
    def reserve(self) -> None:
        lines = [{"sku": _a_product()["sku"], "quantity": 1}]
        self.send("POST", "/reservations", "reserve", json={"lines": lines})


class Employee(Person):
    weight = 5
    role = "staff"

    @task(4)
    def change_a_price(self) -> None:
        path, price = f"/products/{_a_product()['id']}", f"{_chance.randint(1, 99_999) / 100:.2f}"
        self.send("PATCH", path, "change", json={"price": price}, headers={"If-Match": "*"})

    @task(1)
    def add_a_product(self) -> None:
        new = {**_chance.choice(_shop["new"]), "sku": f"NEW-{_chance.getrandbits(64)}", "stock": 20}
        self.send("POST", "/products", "add", json=new)


def _a_product() -> Any:
    """One of the shop's; those at the front are asked for far more often."""
    products = _shop["products"]
    return products[int(_chance.random() ** 3 * len(products))]

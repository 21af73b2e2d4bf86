"""What is measured: requests of one kind, and what part of a ceiling they have to reach."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from flask import Flask
from sqlalchemy import Row, func, select

from bench.accounts import PASSWORD
from bench.catalogue import SEED, products
from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.products.conditions import keyset
from stockroom.products.models import Product
from tests.api import PREFIX
from tests.contract.web import request
from tests.factories.users import make_user, token_for

VARIETY = 20_000
"""Requests of one kind that differ, so that no answer is still in a cache when it is asked for
again."""
BODIES = 1_000
UNIQUE = "##########"
"""Becomes another number in each request."""
ORDER = "-created_at"
WSGI, FLASK, ARGON2 = "bare WSGI", "bare Flask", "argon2"


@dataclass(frozen=True, slots=True)
class Case:
    """
    :ivar bound: the least part of the last ceiling.
    :ivar requests: whole ones, sent in turn.
    :ivar status: of every answer.
    """

    name: str
    title: str
    bound: float
    requests: Sequence[bytes]
    status: int = 200
    ceilings: Sequence[str] = (WSGI, FLASK)

    def sample(self, number: int) -> bytes:
        """One of the requests, which has this number where each has another one."""
        # wrk counts from below.
        unique = b"%010d" % (10 ** len(UNIQUE) - 1 - number)
        return self.requests[number % len(self.requests)].replace(UNIQUE.encode(), unique)

    @property
    def for_ceiling(self) -> bytes:
        """The same request to the address that a bare application has for this case."""
        return re.sub(rb" \S+ ", f" /{self.name} ".encode(), self.requests[0], count=1)


@dataclass(frozen=True, slots=True)
class Client:
    """Writes requests, as whoever has the token."""

    token: str | None = None

    def get(self, path: str, **headers: str) -> bytes:
        return self._request("GET", path, headers)

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        content = json.dumps(body).encode()
        return self._request("POST", path, {"Content-Type": "application/json"}, content)

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> bytes:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        fields = {"Connection": "keep-alive", **own, **headers}
        return request(method, f"{PREFIX}{path}", body, fields)


def all_cases(app: Flask, emails: Sequence[str]) -> list[Case]:
    """For the catalogue that is in the database, and these accounts."""
    return [*reads(app), _creation(app), _login(emails)]


def reads(app: Flask) -> Iterator[Case]:
    """Asked by a customer who has signed in."""
    customer, found = Client(token_for(app, make_user(app))), some_products(app)
    ids = [row.id for row in found]
    product = f"/products/{ids[0]}"
    yield Case("product-hot", "product, hot", 0.70, [customer.get(product)])
    yield Case("list-hot", "list of 20, hot", 0.70, [customer.get("/products?limit=20")])
    tag = _etag(app, customer, product)
    known = customer.get(product, **{"If-None-Match": tag})
    yield Case("product-known", "product, 304", 0.80, [known], 304)
    each = [customer.get(f"/products/{product_id}") for product_id in ids]
    yield Case("product", "product, from PostgreSQL", 0.45, each)
    cursors = cursors_behind(app, ids)
    pages = [customer.get(f"/products?limit=20&cursor={cursor}") for cursor in cursors]
    yield Case("list", "list of 20, from PostgreSQL", 0.33, pages)
    answers = [customer.get(f"/products?limit=20&q={words}") for words in searches(found)]
    yield Case("search", "search, ranked", 0.10, answers)


def some_products(app: Flask) -> Sequence[Row[tuple[UUID, str, str]]]:
    """Id, SKU and name of products from everywhere in the catalogue, in no order."""
    by_chance = func.md5(Product.sku)
    statement = select(Product.id, Product.sku, Product.name).order_by(by_chance).limit(VARIETY)
    with app.app_context():
        return db.session.execute(statement).all()


def cursors_behind(app: Flask, product_ids: Iterable[UUID]) -> list[str]:
    """What names the page behind each product, in the order that a list has by itself."""
    with app.app_context():
        order = keyset(ORDER)
        return [order.cursor([product_id]) for product_id in product_ids]


def searches(found: Iterable[Any]) -> Iterator[str]:
    """Two words of each product's name, as in an address: people look for what they have seen."""
    chance = Random(SEED)  # noqa: S311 - no secret
    for product in found:
        yield quote_plus(" ".join(chance.sample(product.name.split(), 2)))


def _etag(app: Flask, customer: Client, path: str) -> str:
    headers = {"Authorization": f"Bearer {customer.token}"}
    answer = app.test_client().get(f"{PREFIX}{path}", headers=headers)
    return answer.headers["ETag"]


def _creation(app: Flask) -> Case:
    """With the first movement, and the event of both."""
    staff = Client(token_for(app, make_user(app, role=Role.STAFF)))
    bodies = ({**new, "sku": f"NEW-{UNIQUE}", "stock": 20} for new in products(0, BODIES))
    requests = [staff.post("/products", body) for body in bodies]
    return Case("creation", "POST /products", 0.12, requests, 201)


def _login(emails: Sequence[str]) -> Case:
    """Against argon2 alone: all the rest of a login may cost a tenth."""
    bodies = ({"email": email, "password": PASSWORD} for email in emails)
    requests = [Client().post("/auth/login", body) for body in bodies]
    return Case("login", "login", 0.90, requests, ceilings=[ARGON2])

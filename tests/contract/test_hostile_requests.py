"""Whatever is sent: a problem of the client's own, never one of the server's."""

import json
import time
from itertools import chain
from uuid import uuid4

import jwt
import pytest

from stockroom.core.permissions import Role
from stockroom.products.models import ProductStatus
from tests.auth import forging
from tests.auth.forging import signed, unsigned
from tests.contract.conftest import Site
from tests.contract.hostile import addresses, bodies, credentials, headers, queries, values
from tests.contract.hostile.kinds import Hostile
from tests.factories.products import make_product
from tests.factories.users import log_in, make_user, token_for

REQUESTS: list[Hostile] = [
    *chain(
        addresses.REQUESTS,
        bodies.REQUESTS,
        credentials.REQUESTS,
        headers.REQUESTS,
        queries.REQUESTS,
        values.REQUESTS,
    )
]
SECRETS_OF_THE_CODE = (b"Traceback", b"psycopg", b"sqlalchemy", b"SELECT ", b".py", b"argon2")


@pytest.fixture(scope="module")
def names(site: Site) -> dict[str, str]:
    """What the requests refer to in braces."""
    app, settings = site.app, site.settings
    customer = make_user(app, email="customer@example.com")
    admin = make_user(app, role=Role.ADMIN)
    make_user(app, role=Role.ADMIN)
    tokens = log_in(app, customer)
    token = tokens["access_token"]
    admin_token = token_for(app, admin)
    claims = _claims(token)
    for _ in range(2):
        make_product(app)
    draft = make_product(app, sku="DRAFT", status=ProductStatus.DRAFT.value)
    cursor = json.loads(site.web.get("/api/v1/products?limit=1").body)["next_cursor"]
    mine = {"sub": claims["sub"], "sid": claims["sid"]}
    return {
        "customer": token,
        "refresh": tokens["refresh_token"],
        "staff": token_for(app, make_user(app, role=Role.STAFF)),
        "admin": admin_token,
        "unsigned": unsigned({"alg": "none", "typ": "JWT"}, claims),
        "cut": token[:-20],
        "other_secret": _signed_by("another secret, which is not the server's", mine),
        "expired": signed(settings, **mine, exp=int(time.time()) - 60),
        "other_audience": signed(settings, **mine, aud="somebody else"),
        "other_issuer": signed(settings, **mine, iss="somebody else"),
        "no_session": signed(settings, **{**mine, "sid": str(uuid4())}),
        "stolen_session": signed(settings, **{**mine, "sid": _claims(admin_token)["sid"]}),
        "odd_ids": signed(settings, sub="admin", sid="1"),
        "without_session": signed(settings, sub=claims["sub"], sid=None),
        "other_user": str(admin.id),
        "other_session": _claims(admin_token)["sid"],
        "product": str(make_product(app).id),
        "draft": str(draft.id),
        "cursor": cursor,
        "cursor_cut": cursor[:-3],
    }


def test_there_are_two_hundred_hostile_requests_and_more() -> None:
    assert len({request.name for request in REQUESTS}) == len(REQUESTS) > 200


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_a_hostile_request_gets_a_problem_of_the_client(
    site: Site, names: dict[str, str], request_: Hostile
) -> None:
    answer = site.web.send(request_.wire(names))
    assert 400 <= answer.status < 500, answer
    assert answer.media_type == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert not [secret for secret in SECRETS_OF_THE_CODE if secret in answer.body]
    assert site.web.answers


def _claims(token: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _signed_by(secret: str, changes: dict[str, str]) -> str:
    return jwt.encode(forging.claims(**changes), secret, "HS256")

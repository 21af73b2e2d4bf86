"""What schemathesis is told about this API: how to call it, and what a schema cannot say."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.schemas import OpenApiSchema
from sqlalchemy import delete

from stockroom.auth.models import FailedLogins
from stockroom.core.database import now
from stockroom.core.errors import InvalidInput
from stockroom.core.http.edge import SECURITY_HEADERS
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.products.filters import RELEVANCE
from stockroom.products.money import check_price
from stockroom.stock.reservations import LONGEST_HOLD_SECONDS
from stockroom.stream import tail
from stockroom.users.models import User
from stockroom.users.passwords import require_acceptable
from tests.contract.existing import A_CURRENCY_WITH_ALL_DECIMALS, A_PUBLIC_URL, EXISTING
from tests.factories.products import make_product
from tests.factories.users import PASSWORD, make_user, token_for

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi.json"
A_CURRENCY_WITHOUT_DECIMALS = "JPY"
_OWN_STATUSES = [
    {
        "include-operation-id": "request_token",
        # RFC 6749, 5.2: 400 is the status for a wrong password or token.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 400, 429]}},
    },
    {
        "include-operation-id": [
            "verify_email",
            "reset_password",
            "confirm_email_change",
        ],
        # No token from a mail can be guessed.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401]}},
    },
    {
        "include-operation-id": ["list_events", "stream_events"],
        # Most positions are ahead of all events.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 410]}},
    },
    {
        "include-operation-id": "follow_events",
        # Nothing in a document can ask for an upgrade.
        "checks": {"positive_data_acceptance": {"expected-statuses": [401, 426]}},
    },
]
"""What schemathesis cannot know of single operations."""
UNNAMED_HEADERS = {
    "allow",
    "content-type",
    "content-length",
    "x-accel-buffering",
    *map(str.lower, SECURITY_HEADERS),
}
"""What the document leaves out: headers of HTTP itself, for a proxy, and for any browser."""


class Application:
    """Stands for the application under test, which is made long after the cases are collected."""

    flask: Flask

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return self.flask(environ, start)


def load(application: WSGIApplication, *, max_examples: int, anew: bool = False) -> OpenApiSchema:
    """The document in the repository, and how its operations are tried: by chance.

    :param anew: with other data in every run.
    """
    # An address at shop.test is well formed, and refused all the same (RFC 2606 reserves it).
    schemathesis.openapi.format("email", st.integers(0).map("fuzz{}@example.com".format))
    schema = schemathesis.openapi.from_path(DOCUMENT, config=_config(max_examples, anew=anew))
    schema.app = application
    return schema


@contextmanager
def streams_that_end(app: Flask) -> Iterator[None]:
    """Every stream is told at once to come back, as by a server that stops."""
    tail.tail_of(app).close()
    yield
    tail.init_app(app)


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return loaded


def operations() -> list[dict[str, Any]]:
    return [
        operation
        for path in document()["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]


def operation_ids() -> list[str]:
    return [operation["operationId"] for operation in operations()]


def call(case: Case, app: Flask) -> None:
    """Send the request as an administrator, and let every check judge the answer.

    Every header of the answer is one that the document names.

    Account and session are new each time, and failed logins are forgotten: no request suffers from
    what another one did.
    """
    forget_failures(app)
    user = make_user(app, role=Role.ADMIN)
    if _is_valid(case, ParameterLocation.PATH):
        # Backwards, so that a delivery is one of the webhook that was made just before.
        for name in sorted(case.path_parameters, reverse=True):
            case.path_parameters[name] = EXISTING[name](app, user)
    make_acceptable(case, app)
    response = case.call_and_validate(headers=authorization(app, user))
    if described := case.operation.responses.find_by_status_code(response.status_code):
        named = {name.lower() for name, _ in described.headers.items()}
        missing = response.headers.keys() - UNNAMED_HEADERS - named
        assert not missing, f"The document does not name {missing}."


def forget_failures(app: Flask) -> None:
    """Let nobody wait for what others have guessed before."""
    with app.app_context(), transaction() as session:
        session.execute(delete(FailedLogins))


def authorization(app: Flask, user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_for(app, user)}"}


def make_acceptable(case: Case, app: Flask) -> None:
    """Where the data fits the schema, see that it also fits what no schema can say.

    The check ``positive_data_acceptance`` can then insist on it.
    """
    if _is_valid(case, ParameterLocation.HEADER) and "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if _is_valid(case, ParameterLocation.QUERY):
        # Times have an order that no schema can ask for.
        case.query.pop("from", None)
        case.query.pop("to", None)
        # A cursor is signed, a ticket good for one, and only words have a relevance.
        case.query.pop("cursor", None)
        case.query.pop("ticket", None)
        if case.query.get("sort") == RELEVANCE:
            case.query.setdefault("q", "blue")
    if _is_valid(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        _make_body_acceptable(case.body)
        _make_stock_acceptable(case.body, app)


def _make_body_acceptable(body: dict[str, Any]) -> None:
    if "attributes" in body:
        body["attributes"] = _without_nul(body["attributes"])
    if "url" in body:
        body["url"] = A_PUBLIC_URL
    for name in {"password", "new_password"} & body.keys():
        if not _is_hard_to_guess(body[name], body.get("email", "nobody@example.com")):
            body[name] = PASSWORD
    if body.get("expires_at"):
        body["expires_at"] = (now() + timedelta(days=1)).isoformat()
    # A price has the decimals of its currency, which may be that of the stored product.
    if "price" not in body:
        body.pop("currency", None)
    elif not _has_decimals_of_its_currency(body):
        body["currency"] = A_CURRENCY_WITH_ALL_DECIMALS


def _make_stock_acceptable(body: dict[str, Any], app: Flask) -> None:
    """Products and places that there are, and a movement whose parts fit together."""
    if "lines" in body:
        sku = make_product(app, stock=10_000).sku
        body["lines"] = [{"sku": sku, "quantity": 1} for _ in body["lines"]]
    if "hold_seconds" in body:
        body["hold_seconds"] = min(body["hold_seconds"], LONGEST_HOLD_SECONDS)
    if "kind" in body:
        for name in ("location", "to_location", "occurred_at"):
            body.pop(name, None)
        body |= {"kind": "received", "quantity": abs(int(body["quantity"])) or 1}


def _config(max_examples: int, *, anew: bool) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "generation": {
                "max-examples": max_examples,
                "deterministic": not anew,
                "no-shrink": True,
                # ``call`` authenticates; the check ``ignored_auth`` takes that away again.
                "with-security-parameters": False,
            },
            # Every bound of every parameter takes long: ``test_fuzz_deeply`` asks for it by itself.
            "phases": {"coverage": {"enabled": False}},
            "checks": {
                # RFC 6585, 3: 428 is the status for a missing If-Match.
                "missing_required_header": {"expected-statuses": [400, 415, 422, 428]},
            },
            "operations": _OWN_STATUSES,
        }
    )


def _is_valid(case: Case, location: ParameterLocation) -> bool:
    return case.meta is None or not case.meta.is_negative_at(location)


def _without_nul(value: Any) -> Any:
    """The same JSON without the one character that no text has, at any depth."""
    return json.loads(re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1", json.dumps(value)))


def _is_hard_to_guess(password: Any, email: Any) -> bool:
    try:
        require_acceptable(str(password), str(email))
    except InvalidInput:
        return False
    return True


def _has_decimals_of_its_currency(body: dict[str, Any]) -> bool:
    try:
        check_price(
            Decimal(str(body["price"]).strip()), body.get("currency", A_CURRENCY_WITHOUT_DECIMALS)
        )
    except InvalidInput:
        return False
    return True

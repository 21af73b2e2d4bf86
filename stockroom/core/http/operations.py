"""What the OpenAPI document says of each operation: its statuses, its headers, who may call it."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from marshmallow import INCLUDE, fields

from stockroom.core import errors
from stockroom.core.callers.identity import Access
from stockroom.core.http.http_problems import HTTP_PROBLEMS
from stockroom.core.http.problems import MEDIA_TYPE, status_of
from stockroom.core.permissions import SCOPES, Permission
from stockroom.core.schemas import BaseSchema

Document = dict[str, Any]

IDEMPOTENCY_KEY: Document = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": (
        "Chosen by the client, and the same when it sends the same request again: what is asked "
        "for is done once, and answered alike each time. Kept for 24 hours."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "maxLength": 255},
    "example": "7b1f6a1c-order-1001",
}
PAGE_HEADERS = {"Link": {"$ref": "#/components/headers/Link"}}


HEADERS: Document = {
    "Content-Disposition": ("The name of the file (RFC 6266).", "string"),
    "ETAG": ("The version of the resource, for If-None-Match and If-Match.", "string"),
    "Link": ('The next page: `<…>; rel="next"`; absent on the last page.', "string"),
    "Location": ("The address of what was created.", "string"),
    "Idempotent-Replayed": ("`true`: the answer that the key got the first time.", "string"),
    "RateLimit-Limit": ("Requests in the current window.", "integer"),
    "RateLimit-Remaining": ("Requests left in the current window.", "integer"),
    "RateLimit-Reset": ("Seconds until the window ends.", "integer"),
    "Retry-After": ("Seconds to wait before the next try.", "integer"),
    "Set-Cookie": ("The tokens, as cookies; empty and expired ones after a logout.", "string"),
    "Sec-WebSocket-Version": ("The version to ask for: 13 (RFC 6455).", "integer"),
    "Upgrade": ("The protocol to ask for: websocket.", "string"),
    "WWW-Authenticate": ("How to authenticate (RFC 6750).", "string"),
    "X-CSRF-Token": ("What requests with these cookies must repeat.", "string"),
    "X-Request-ID": ("The request's id, as in the log: the one that was sent, if sane.", "string"),
}
ON_EVERY_ANSWER = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_EXTRA_HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.UPGRADE_REQUIRED: ("Upgrade", "Sec-WebSocket-Version"),
    HTTPStatus.CONFLICT: ("Retry-After",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}


def _camel_case(slug: str) -> str:
    return "".join(part.capitalize() for part in slug.split("-"))


# The name of each status' component, and what it says. HTTP's own phrases will not do: they
# differ between versions of Python.
PROBLEM_RESPONSES: dict[HTTPStatus, tuple[str, str]] = {
    problem.status: (_camel_case(problem.slug), problem.title) for problem in HTTP_PROBLEMS
} | {status_of(kind): (kind.__name__, kind.title) for kind in errors.KINDS}


class ProblemSchema(BaseSchema):
    """RFC 9457. Some problems carry more members than these."""

    class Meta:  # noqa: D106 - marshmallow's name for its options
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Field path → messages, with 422."},
    )


def describe_operation(document: Document, facts: Document, *, method: str, **_: Any) -> Document:
    """Add to an operation what its decorators told and what holds for all operations."""
    document["operationId"] = facts["name"]
    if facts.get("idempotent"):
        document.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    responses = document.setdefault("responses", {})
    responses.pop("default", None)
    for status, response in responses.items():
        # A 101 is the server's own, and the end of HTTP on this connection.
        if isinstance(response, dict) and int(status) != HTTPStatus.SWITCHING_PROTOCOLS:
            names = (
                *ON_EVERY_ANSWER,
                *(("Location",) if facts.get("located") else ()),
                *(("Idempotent-Replayed",) if facts.get("idempotent") else ()),
            )
            response.setdefault("headers", {}).update(header_references(names))
    for status in _problem_statuses(document, facts):
        responses[status] = PROBLEM_RESPONSES[status][0]
    document["responses"] = {
        str(int(status)): responses[status] for status in sorted(responses, key=int)
    }
    document["security"] = _security(facts, method)
    return document


def _problem_statuses(document: Document, facts: Document) -> set[HTTPStatus]:
    """Every status, beside success, that the operation can answer with."""
    codes = {400, 429, 500, 503}
    if facts.get("idempotent"):
        codes |= {409, 422}
    arguments = facts.get("arguments", {}).get("parameters", ())
    # Shared parameters, which stand among them by their names, are headers.
    locations = {parameter["in"] for parameter in arguments if isinstance(parameter, dict)}
    if "requestBody" in document:
        codes |= {413, 415, 422}
    if "query" in locations:
        codes |= {422}
    access = facts["access"]
    if access is not Access.PUBLIC:
        codes |= {401}
    if isinstance(access, Permission):
        codes |= {403}
    if facts.get("etag") and "IF_MATCH" in document.get("parameters", ()):
        codes |= {412, 428}
    return {HTTPStatus(code) for code in codes} | {
        status_of(error) for error in facts.get("errors", ())
    }


def _security(facts: Document, method: str) -> list[Document]:
    access = facts["access"]
    if access is Access.PUBLIC:
        return []
    required: list[Document] = [{"password": []}, {"bearer": []}]
    if facts["cookies"]:
        required.append({"cookie": []} if method in {"get", "head"} else {"cookie": [], "csrf": []})
    if access is Access.ANYONE or (access in SCOPES and not facts["recent"]):
        required.append({"apiKey": []})
    return required if isinstance(access, Permission) else [{}, *required]


def problem_response(status: HTTPStatus, title: str) -> Document:
    names = (*ON_EVERY_ANSWER, *_EXTRA_HEADERS.get(status, ()))
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
        "headers": header_references(names),
    }


def header_references(names: Iterable[str]) -> Mapping[str, Document]:
    # flask-smorest names the component of this one header in capitals.
    return {
        "ETag" if name == "ETAG" else name: {"$ref": f"#/components/headers/{name}"}
        for name in names
    }

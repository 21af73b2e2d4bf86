"""The OpenAPI document: what flask-smorest leaves out of it, said once for every operation."""

import json
import warnings
from collections.abc import Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import INCLUDE, Schema, fields

from stockroom import __version__
from stockroom.core import errors
from stockroom.core.fields import Text
from stockroom.core.http_problems import HTTP_PROBLEMS
from stockroom.core.identity import Access
from stockroom.core.permissions import Permission
from stockroom.core.problems import MEDIA_TYPE, status_of
from stockroom.core.schemas import BaseSchema

Document = dict[str, Any]


def _camel_case(slug: str) -> str:
    return "".join(part.capitalize() for part in slug.split("-"))


PAGE_HEADERS = {"Link": {"$ref": "#/components/headers/Link"}}

_HEADERS: Document = {
    "ETAG": ("The version of the resource, for If-None-Match and If-Match.", "string"),
    "Link": ('The next page: `<…>; rel="next"`; absent on the last page.', "string"),
    "Location": ("The address of what was created.", "string"),
    "RateLimit-Limit": ("Requests in the current window.", "integer"),
    "RateLimit-Remaining": ("Requests left in the current window.", "integer"),
    "RateLimit-Reset": ("Seconds until the window ends.", "integer"),
    "Retry-After": ("Seconds to wait before the next try.", "integer"),
    "WWW-Authenticate": ("How to authenticate (RFC 6750).", "string"),
    "X-Request-ID": ("The request's id, as in the log: the one that was sent, if sane.", "string"),
}
_DESCRIPTION = """\
A product catalogue and inventory backend.

- **Errors** are problem documents (RFC 9457): `type` is a page that says what to do.
- **Lists** come in pages: ask for the next one with `cursor`, or follow `Link`.
- **Changes** name the version that they were made from: send the `ETag` as `If-Match`.
- **Limits** are told by the `RateLimit-…` headers; after a 429, wait for `Retry-After`.
"""
_ON_EVERY_ANSWER = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_EXTRA_HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
_SECURITY_SCHEMES: Document = {
    "password": {
        "type": "oauth2",
        "description": "Log in with your email address, as username, and your password.",
        "flows": {
            "password": {
                "tokenUrl": "/api/v1/auth/token",
                "refreshUrl": "/api/v1/auth/token",
                "scopes": {},
            }
        },
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Or take an access token from `POST /api/v1/auth/login`.",
    },
}


# The name of each status' component, and what it says. HTTP's own phrases will not do: they
# differ between versions of Python.
_PROBLEM_RESPONSES: dict[HTTPStatus, tuple[str, str]] = {
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


class Converter(OpenAPIConverter):
    """apispec's, with the keywords that a schema adds to those of its fields."""

    def schema2jsonschema(self, schema: Schema) -> Document:
        document: Document = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        return {**document, **getattr(schema, "keywords", {})}


class Plugin(MarshmallowPlugin):
    Converter = Converter


class Api(flask_smorest.Api):
    """flask-smorest's Api with this project's names, headers and problems."""

    def __init__(self, app: Flask) -> None:
        # Two shapes under one name would put Product1 into every generated client.
        warnings.filterwarnings("error", message="Multiple schemas resolved to the name")
        super().__init__(
            app,
            spec_kwargs={
                "title": "Stockroom",
                "version": __version__,
                "openapi_version": "3.1.0",
                "info": {
                    "description": _DESCRIPTION,
                    "license": {"name": "MIT", "identifier": "MIT"},
                },
                "marshmallow_plugin": Plugin(schema_name_resolver=_schema_name),
                "components": {"securitySchemes": _SECURITY_SCHEMES},
            },
        )
        converter = self.ma_plugin.converter
        converter.add_attribute_function(_describe_enum)
        converter.add_attribute_function(_describe_dict)
        converter.add_attribute_function(_describe_own)

    @cached_property
    def text(self) -> str:
        """The document as it is served, and as ``flask openapi write`` writes it."""
        return json.dumps(self.spec.to_dict(), indent=2) + "\n"

    def _register_error_handlers(self) -> None:
        """``core.problems`` answers for all errors."""

    def _register_etag_headers(self) -> None:
        super()._register_etag_headers()
        for name, (description, kind) in _HEADERS.items():
            if name != "ETAG":
                header = {"description": description, "schema": {"type": kind}}
                self.spec.components.header(name, header)

    def _register_pagination_header(self) -> None:
        """Pages have a cursor, not flask-smorest's X-Pagination."""

    def _register_responses(self) -> None:
        """A response component for each status that a problem can have."""
        self.spec.components.schema("Problem", schema=ProblemSchema)
        not_modified = {
            "description": "You have this version.",
            "headers": _header_references(("ETAG", *_ON_EVERY_ANSWER)),
        }
        self.spec.components.response("NOT_MODIFIED", not_modified)
        for status, (name, title) in _PROBLEM_RESPONSES.items():
            response = _problem_response(status, title)
            self.spec.components.response(name, response, lazy=True)


def describe_operation(document: Document, facts: Document, **_: Any) -> Document:
    """Add to an operation what its decorators told and what holds for all operations."""
    document["operationId"] = facts["name"]
    responses = document.setdefault("responses", {})
    responses.pop("default", None)
    for response in responses.values():
        if isinstance(response, dict):
            names = (
                *_ON_EVERY_ANSWER,
                *(("Location",) if facts.get("located") else ()),
            )
            response.setdefault("headers", {}).update(_header_references(names))
    for status in _problem_statuses(document, facts):
        responses[status] = _PROBLEM_RESPONSES[status][0]
    document["responses"] = {
        str(int(status)): responses[status] for status in sorted(responses, key=int)
    }
    document["security"] = _security(facts["access"])
    return document


def _problem_statuses(document: Document, facts: Document) -> set[HTTPStatus]:
    """Every status, beside success, that the operation can answer with."""
    codes = {400, 429, 500, 503}
    locations = {parameter["in"] for parameter in facts.get("arguments", {}).get("parameters", ())}
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


def _security(access: Access | Permission) -> list[Document]:
    if access is Access.PUBLIC:
        return []
    required: list[Document] = [{"password": []}, {"bearer": []}]
    return required if isinstance(access, Permission) else [{}, *required]


def _problem_response(status: HTTPStatus, title: str) -> Document:
    names = (*_ON_EVERY_ANSWER, *_EXTRA_HEADERS.get(status, ()))
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
        "headers": _header_references(names),
    }


def _header_references(names: Iterable[str]) -> Mapping[str, Document]:
    # flask-smorest names the component of this one header in capitals.
    return {
        "ETag" if name == "ETAG" else name: {"$ref": f"#/components/headers/{name}"}
        for name in names
    }


def _schema_name(schema: type[Schema] | Schema) -> str:
    """``ProductSchema`` is ``Product``; with ``partial=True``, for PATCH, ``ProductPatch``."""
    schema_class = schema if isinstance(schema, type) else type(schema)
    name = schema_class.__name__.removesuffix("Schema")
    return f"{name}Patch" if isinstance(schema, Schema) and schema.partial else name


def _describe_enum(_: object, field: fields.Field[Any], **__: object) -> Document:
    return {"type": "string"} if isinstance(field, fields.Enum) else {}


def _describe_dict(_: object, field: fields.Field[Any], *, ret: Document) -> Document:
    """What apispec leaves out of a dict: its keys, and that its length counts properties."""
    if not isinstance(field, fields.Dict):
        return {}
    described = {}
    if "maxLength" in ret:
        described["maxProperties"] = ret.pop("maxLength")
    if isinstance(field.key_field, Text):
        described["propertyNames"] = field.key_field.openapi()
    return described


def _describe_own(_: object, field: fields.Field[Any], **__: object) -> Document:
    """What a field says of itself, for fields that apispec cannot know."""
    describe = getattr(field, "openapi", None)
    return describe() if describe else {}

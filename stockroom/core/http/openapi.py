"""The OpenAPI document: flask-smorest's, with what it leaves out."""

import json
import warnings
from functools import cached_property
from threading import RLock
from typing import Any

import flask_smorest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import Schema, fields

from stockroom import __version__
from stockroom.core.callers.identity import CSRF_HEADER
from stockroom.core.fields import Text
from stockroom.core.http import operations
from stockroom.core.http.operations import Document

_DESCRIPTION = """\
A product catalogue and inventory backend.

- **Errors** are problem documents (RFC 9457): `type` is a page that says what to do.
- **Lists** come in pages: ask for the next one with `cursor`, or follow `Link`.
- **Changes** name the version that they were made from: send the `ETag` as `If-Match`.
- **News** of every change comes by WebSocket, as server-sent events, and by webhooks.
- **Limits** are told by the `RateLimit-…` headers; after a 429, wait for `Retry-After`.
"""
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
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "For machines: a key from `POST /api/v1/auth/api-keys`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-access_token",
        "description": (
            "In a browser: `POST /api/v1/auth/login?transport=cookie`. While developing, over "
            "plain HTTP, the name is `access_token`."
        ),
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "With the cookie, where something is changed: what `csrf_token` holds.",
    },
}


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
        self._turn = RLock()
        self._undescribed: list[flask_smorest.Blueprint] = []
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

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Register its views; they are described once somebody asks for the document.

        Most processes are never asked, and it is most of what takes an application to be made.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    @property
    def spec(self) -> APISpec:
        """Of all blueprints that are registered."""
        with self._turn:
            while self._undescribed:
                self._describe(self._undescribed[0])
                del self._undescribed[0]
        return self._spec

    @spec.setter
    def spec(self, spec: APISpec) -> None:
        self._spec = spec

    def _describe(self, blueprint: flask_smorest.Blueprint) -> None:
        name = blueprint.name
        blueprint.register_views_in_doc(self, self._app, self._spec, name=name, parameters=None)
        self._spec.tag({"name": name, "description": blueprint.description})

    @cached_property
    def text(self) -> str:
        """The document as it is served, and as ``flask openapi write`` writes it."""
        return json.dumps(self.spec.to_dict(), indent=2) + "\n"

    def _register_error_handlers(self) -> None:
        """``core.http.problems`` answers for all errors."""

    def _register_etag_headers(self) -> None:
        super()._register_etag_headers()
        for name, (description, kind) in operations.HEADERS.items():
            if name != "ETAG":
                header = {"description": description, "schema": {"type": kind}}
                self.spec.components.header(name, header)

    def _register_pagination_header(self) -> None:
        """Pages have a cursor, not flask-smorest's X-Pagination."""

    def _register_responses(self) -> None:
        """A response component for each status that a problem can have."""
        self.spec.components.schema("Problem", schema=operations.ProblemSchema)
        not_modified = {
            "description": "You have this version.",
            "headers": operations.header_references(("ETAG", *operations.ON_EVERY_ANSWER)),
        }
        self.spec.components.response("NOT_MODIFIED", not_modified)
        for status, (name, title) in operations.PROBLEM_RESPONSES.items():
            response = operations.problem_response(status, title)
            self.spec.components.response(name, response, lazy=True)


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

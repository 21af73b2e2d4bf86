"""Reading requests: strict JSON, bounded in depth, and errors by field path."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Request
from marshmallow import EXCLUDE, RAISE, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType

from stockroom.core import json_values
from stockroom.core.context import settings
from stockroom.core.errors import InvalidInput

MOST_ERRORS = 100
FORM = "application/x-www-form-urlencoded"


class RequestParser(FlaskParser):
    """webargs' parser with this API's rules (api.md, Conventions)."""

    # OAuth 2.0 has servers ignore form parameters that they do not know (RFC 6749, 3.2).
    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE, "form": EXCLUDE}  # noqa: RUF012 - as in webargs

    def load_json(self, req: Request, schema: object) -> Any:  # noqa: ARG002
        if not req.is_json:
            raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
        return parse_json(read_body(req))

    def load_form(self, req: Request, schema: Any) -> Any:
        if req.mimetype != FORM:
            raise UnsupportedMediaType(f"Send a form, with Content-Type: {FORM}.")
        _check_encoding(read_body(req), "form")
        return super().load_form(req, schema)

    def load_querystring(self, req: Request, schema: Any) -> Any:
        _check_encoding(req.query_string, "query")
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """:raises InvalidInput: with the messages of each field, of the first hundred at most."""
        by_location = error.messages_dict
        found = flattened(next(iter(by_location.values())))
        raise InvalidInput(dict(islice(found, MOST_ERRORS))) from None


def parse_json(body: bytes) -> Any:
    """The JSON value in ``body``.

    :raises BadRequest: if it is not UTF-8 JSON as RFC 8259 has it, or nested too deep.
    """
    try:
        return json_values.parse(body.decode("utf-8"), settings().max_json_depth)
    except json_values.NestedTooDeep as error:
        raise BadRequest(f"The JSON is {error}.") from None
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}") from None


def read_body(req: Request) -> bytes:
    """The whole body, which stays in the request for who reads it again.

    :raises RequestEntityTooLarge: if it is longer than allowed.
    :raises BadRequest: if it ends too early or its chunks are malformed.
    """
    try:
        body = req.get_data()
        if req.content_length is None:
            # werkzeug reads chunks up to the limit, and leaves the rest without a word.
            req.stream.read(1)
    except HTTPException:
        raise
    except Exception as error:
        # Every WSGI server has exceptions of its own for this.
        raise BadRequest("The body ends too early, or its chunks are malformed.") from error
    return body


def _check_encoding(escaped: bytes, name: str) -> None:
    try:
        unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"The {name} is not UTF-8.") from None


def flattened(messages: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Field paths with their messages: ``{"options": {"size": {"value": […]}}}`` gives
    ``options.size``.
    """
    if not isinstance(messages, Mapping):
        yield path or "_schema", messages if isinstance(messages, list) else [str(messages)]
        return
    for key, below in messages.items():
        # marshmallow puts a layer "key"/"value" between a dict field and its content.
        is_layer = key in {"key", "value"} and path and set(messages) <= {"key", "value"}
        yield from flattened(below, path if is_layer else f"{path}.{key}".lstrip("."))

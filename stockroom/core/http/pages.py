"""Pages at the border: the query that asks for one, and the answer that holds one."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode

from flask import Response, jsonify, request
from marshmallow import Schema, fields, post_dump, validate

from stockroom.core.fields import QueryFlag, QueryInteger, Text
from stockroom.core.pagination import DEFAULT_PAGE, LARGEST_PAGE, Page, PageRequest
from stockroom.core.schemas import BaseSchema

_MOST_QUERIES = 200


class PageQuery(BaseSchema):
    """The query parameters of every list."""

    limit = QueryInteger(
        load_default=DEFAULT_PAGE,
        validate=validate.Range(1, LARGEST_PAGE),
        metadata={"description": "How many items at most."},
    )
    cursor = Text(2000, metadata={"description": "`next_cursor` of the page before."})
    count = QueryFlag(metadata={"description": "`true` adds `total`, the number of all matches."})


_PAGE_NAMES = PageQuery().fields.keys()


def page_request(query: dict[str, object]) -> PageRequest:
    """Take the page's part out of a loaded query, and leave the filters in it."""
    names = _PAGE_NAMES & query.keys()
    return PageRequest(**{name: query.pop(name) for name in names})  # type: ignore[arg-type]


def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page of such items, named after them."""

    class Envelope(BaseSchema):
        items = fields.List(fields.Nested(item), required=True)
        next_cursor = fields.String(
            required=True,
            allow_none=True,
            metadata={"description": "Asks for the next page; null on the last one."},
        )
        total = fields.Integer(metadata={"description": "All matches, if `count=true`."})

        @post_dump
        def leave_out_total(self, data: dict[str, object], **_: object) -> dict[str, object]:
            return {name: value for name, value in data.items() if (name, value) != ("total", None)}

    return type(item.__name__.replace("Schema", "PageSchema"), (Envelope,), {})


def page_response(page: Page[object], schema: type[Schema]) -> Response:
    """The page as JSON, with ``Link: …; rel="next"`` where there is one (RFC 8288)."""
    response: Response = jsonify(schema().dump(page))
    if page.next_cursor:
        response.headers["Link"] = next_link(request.path, request.args, page.next_cursor)
    return response


def next_link(path: str, query: Mapping[str, str], next_cursor: str) -> str:
    """The header ``Link`` that names the page behind this one.

    :param next_cursor: made of letters that addresses take as they are.
    """
    others = _encoded(tuple((name, query[name]) for name in query if name != "cursor"))
    return f'<{path}?{others}cursor={next_cursor}>; rel="next"'


@lru_cache(_MOST_QUERIES)
def _encoded(parameters: tuple[tuple[str, str], ...]) -> str:
    return f"{urlencode(parameters)}&" if parameters else ""

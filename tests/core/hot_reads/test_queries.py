"""Queries are made out without a request, exactly as Flask and webargs make them out."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, request
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from stockroom.core.api import Blueprint
from stockroom.core.callers.identity import Access
from stockroom.core.errors import InvalidInput
from stockroom.core.hot_reads.reads import HotReads
from stockroom.products.schemas import ProductQuery

VALUES = [
    *("", " ", "0", "1", "20", "200", "201", "-1", "007", "1e2", "9.50", "9,5", "true", "false"),
    *("True", "mug", "blue mug", " Mug ", "mu\u0308g", "\u0000", "🫖", "a" * 201),
    *("EUR", "eur", "active", "sold", "relevance", "-price", "price,-id", "id,sku", "id,,sku"),
    *("2026-01-31T12:00:00Z", "2026-01-31", "&", "=", "+", "%", "%41", "a;b"),
]
PAIRS = st.lists(
    st.tuples(
        st.sampled_from([*ProductQuery().fields, "unknown", ""]),
        st.sampled_from(VALUES) | st.text(max_size=5),
    ),
    max_size=4,
)
WRITTEN = PAIRS.map(lambda pairs: urlencode(pairs, errors="replace"))
RAW = st.text("limtq=&+%;0123456789ABCDEFé", max_size=20)


@pytest.fixture(scope="module")
def probe() -> Flask:
    """An application with one hot view, whose read is the query itself."""
    blueprint = Blueprint("probe", __name__)

    @blueprint.get("/things")
    @blueprint.allow(Access.ANYONE)
    @blueprint.arguments(ProductQuery, location="query")
    @blueprint.hot
    def things(query: Any) -> Any:
        return query

    app = Flask(__name__)
    app.register_blueprint(blueprint)
    return app


def by_webargs(app: Flask, query: str) -> Any:
    """The parameters, and what the schema makes of them; None if it refuses."""
    environ = {"PATH_INFO": "/things", "QUERY_STRING": query.encode().decode("latin-1")}
    with app.test_request_context(environ_overrides=environ):
        try:
            loaded = Blueprint.ARGUMENTS_PARSER.parse(ProductQuery(), request, location="query")
        except (InvalidInput, BadRequest):
            return None
        return [*request.args.items()], loaded


def by_itself(app: Flask, query: str) -> Any:
    environ = {"PATH_INFO": "/things", "QUERY_STRING": query.encode().decode("latin-1")}
    found = HotReads(app).find(query, environ)
    return found and ([*found.query.items()], found.read)


@settings(max_examples=300)
@given(query=WRITTEN | RAW)
def test_any_query_is_what_webargs_makes_of_it(probe: Flask, query: str) -> None:
    assert by_itself(probe, query) == by_webargs(probe, query)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "limit=5",
            "limit=5&limit=6",
            "limit=5&limit=0",
            "q=blue+mug&in_stock=true",
            "q=m%C3%BCg",
        ),
        *("fields=sku,id", "q=mug&sort=relevance", "q=%F0%9F%AB%96", "price_min=1&price_max=9.50"),
    ],
)
def test_what_is_plain_is_made_out(probe: Flask, query: str) -> None:
    made_out = by_itself(probe, query)
    assert made_out is not None
    assert made_out == by_webargs(probe, query)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=0&limit=5", "x=1", "q=", "q=%FF", "q=%C3&limit=%BC", "sort=relevance"],
)
def test_what_is_refused_is_left_to_flask(probe: Flask, query: str) -> None:
    assert by_itself(probe, query) is by_webargs(probe, query) is None


def test_what_a_view_takes_out_of_a_query_is_there_for_the_next_page(probe: Flask) -> None:
    for cursor in ("a", "b"):
        query = f"limit=5&q=mug&cursor={cursor}"
        parameters, loaded = by_itself(probe, query)
        assert (parameters, loaded) == by_webargs(probe, query)
        loaded.clear()

"""The query of a hot read, loaded by its schema without webargs and a request."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, missing

from stockroom.core.hot_reads.reads import Plan, Query
from stockroom.core.hot_reads.representation import Read

CURSOR = "cursor"
_MOST_QUERIES = 200


def with_query(plan: Plan, schema: Schema) -> Plan:
    """The plan of a hot read that takes the query as its first argument.

    What is asked for often is loaded once. From page to page, that is all but the cursor: what the
    schema says of several fields together does not see it.
    """
    narrowed = lru_cache(_MOST_QUERIES)(lambda sent: _narrowed(schema, sent))
    cursor_field = schema.fields.get(CURSOR)

    @lru_cache(_MOST_QUERIES)
    def loaded(query: frozenset[tuple[str, str]]) -> Mapping[str, Any]:
        parameters = dict(query)
        found: Mapping[str, Any] = narrowed(frozenset(parameters)).load(parameters, unknown=RAISE)
        return found

    def planned(query: Query, *args: Any, **kwargs: Any) -> Read:
        others, cursor = dict(query), {}
        if cursor_field and CURSOR in others:
            cursor[CURSOR] = cursor_field.deserialize(others.pop(CURSOR))
        # A copy, as views take out of it what they need.
        return plan(query, {**loaded(frozenset(others.items())), **cursor}, *args, **kwargs)

    return planned


def _narrowed(schema: Schema, sent: frozenset[str]) -> Schema:
    """The schema for those who send these names: each other field would cost as much, and change
    nothing.
    """
    fields = schema.load_fields.items()
    return type(schema)(
        only=[
            name
            for name, field in fields
            if name in sent or field.required or field.load_default is not missing
        ]
    )

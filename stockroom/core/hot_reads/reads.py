"""Reads that many ask for: how each address is read, once Flask has made out what it means.

A view under ``Blueprint.hot`` does not read; it says how to. That is kept by address, and
``fast_path`` answers the next requests for the same address without Flask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, current_app, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from stockroom.core import cache
from stockroom.core.callers.identity import caller_may
from stockroom.core.context import belongings
from stockroom.core.errors import DomainError
from stockroom.core.hot_reads.representation import Read, Representation
from stockroom.core.http.pages import next_link
from stockroom.core.memory import Answer
from stockroom.core.permissions import Permission
from stockroom.core.recent import Recent
from stockroom.core.sql.question import Question

MOST_ADDRESSES = 1_000
LONGEST_ADDRESS = 500

FAILED = "stockroom.failed"
"""In a request's environ: the error with which its read has failed before Flask saw it."""
_KEY = "stockroom.hot_reads"

Environ = Mapping[str, Any]
Query = Mapping[str, str]
Plan = Callable[..., Read]
"""What a hot view says, given the query and what stands in its path."""


@dataclass(frozen=True, slots=True)
class HotRead:
    """How one address is read.

    :ivar path: as links name it.
    :ivar query: the parameters of its query.
    """

    endpoint: str
    path: str
    query: Query
    read: Read

    def answer(self, *, to_staff: bool = False) -> Answer:
        """:raises DomainError: if there is nothing that this reader may see."""
        return self.answer_of(self.question(to_staff=to_staff).answer())

    def question(self, *, to_staff: bool = False) -> Question[Representation]:
        """What has to be asked for an answer. Errors as for ``Read``."""
        return self.read(to_staff=to_staff)

    def answer_of(self, shown: Representation) -> Answer:
        link = next_link(self.path, self.query, shown.next_cursor) if shown.next_cursor else None
        return Answer(shown.body, shown.etag, link)


class HotReads:
    """Those of one application."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._known = Recent[str, HotRead](MOST_ADDRESSES)

    def find(self, address: str, environ: Environ) -> HotRead | None:
        """How to read an address; None if no hot view has it, or would read anything of it."""
        known = self._known.get(address)
        if known is None and self.may_have(environ["PATH_INFO"]):
            known = self._made_out(environ)
            if known is not None:
                self.keep(address, known)
        return known

    def may_have(self, path: str) -> bool:
        """Whether it begins as the paths of hot views do."""
        return path.startswith(self._beginnings)

    def keep(self, address: str, read: HotRead) -> None:
        if len(address) <= LONGEST_ADDRESS:
            self._known.keep(address, read)

    def _made_out(self, environ: Environ) -> HotRead | None:
        """None as well for what Flask has to refuse."""
        try:
            path, query = _text(environ["PATH_INFO"]), _query(_text(environ["QUERY_STRING"]))
            endpoint, arguments = self._matched(path)
            plan = self._plans.get(endpoint)
            return HotRead(endpoint, path, query, plan(query, **arguments)) if plan else None
        except (UnicodeError, HTTPException, ValidationError, DomainError):
            return None

    @cached_property
    def _matched(self) -> Callable[[str], tuple[str, Mapping[str, Any]]]:
        """The endpoint of a path, and what stands in it; raises HTTPException if there is none."""
        adapter = self._app.url_map.bind("")
        return lru_cache(MOST_ADDRESSES)(lambda path: adapter.match(path, "GET"))

    @cached_property
    def _plans(self) -> Mapping[str, Plan]:
        """By endpoint, those that say how to read."""
        views = self._app.view_functions.items()
        return {endpoint: view.plan for endpoint, view in views if hasattr(view, "plan")}

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        rules = self._app.url_map.iter_rules()
        return tuple(
            {rule.rule.partition("<")[0] for rule in rules if rule.endpoint in self._plans}
        )


def init_app(app: Flask) -> None:
    app.extensions[_KEY] = HotReads(app)


def hot_reads() -> HotReads:
    """Those of the application that is running this code."""
    reads: HotReads = belongings()[_KEY]
    return reads


def hot_reads_of(app: Flask) -> HotReads:
    """Those of an application, for whom does not run within it."""
    reads: HotReads = app.extensions[_KEY]
    return reads


def address_from(path: str, query: str) -> str:
    """What tells answers apart. Decoded, a path may hold a question mark, but no NUL."""
    return f"{path}\0{query}"


def address_of(environ: Environ) -> str:
    return address_from(environ["PATH_INFO"], environ["QUERY_STRING"])


def _text(sent: str) -> str:
    """:raises UnicodeError: if what was sent, which WSGI tells byte by byte, is not UTF-8."""
    return sent.encode("latin-1").decode()


def _query(text: str) -> Query:
    """Its parameters; of those with the same name the first, as ``request.args`` has it.

    :raises UnicodeError: if one is not UTF-8.
    """
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
        query.setdefault(name, value)
    return query


def respond(read: Read) -> Response:
    """The answer to the present request; who may write the catalogue gets a fresh one."""
    if isinstance(error := request.environ.get(FAILED), DomainError):
        raise error
    hot = HotRead(str(request.endpoint), request.path, dict(request.args), read)
    if caller_may(Permission.CATALOGUE_WRITE):
        answer = hot.answer(to_staff=True)
    else:
        address = address_of(request.environ)
        answer = cache.answer(address, hot.answer)
        hot_reads().keep(address, hot)
    g.etag = answer.etag
    response = current_app.response_class(answer.body, mimetype="application/json")
    if answer.link:
        response.headers["Link"] = answer.link
    return response

"""The Api and Blueprint that every feature uses: access, pages, ETags, and their documentation.

A view declares with decorators what it takes, gives and refuses; the decorators do it and
write it into the OpenAPI document, so that the two cannot differ.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask
import flask_smorest
from flask import Response, g, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from stockroom.core.callers.identity import Access, Redeem, admit
from stockroom.core.context import settings
from stockroom.core.errors import DomainError
from stockroom.core.hot_reads.queries import with_query
from stockroom.core.hot_reads.reads import respond
from stockroom.core.http import operations
from stockroom.core.http.idempotency import answer_once
from stockroom.core.http.pages import page_of, page_response
from stockroom.core.http.parser import RequestParser, read_body
from stockroom.core.limits.requests import address_key, hold_to
from stockroom.core.permissions import Permission
from stockroom.extensions import limiter

View = Callable[..., Any]


class Blueprint(flask_smorest.Blueprint):
    """A feature's routes under ``/api/v1``.

    Decorators, from the outside in: ``route``, ``allow``, ``limited``,
    ``idempotent``, ``arguments``, ``response`` or ``page``, ``located``, ``etag`` or ``hot``,
    ``raises``.
    """

    ARGUMENTS_PARSER = RequestParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(operations.describe_operation)

    def add_url_rule(self, rule: str, *args: Any, **kwargs: Any) -> None:
        """:raises TypeError: for a view that does not say with ``allow`` who may call it."""
        view = kwargs.get("view_func") or args[1]
        if "access" not in getattr(view, "_apidoc", {}):
            raise TypeError(f"{view.__name__} ({rule}) does not declare who may call it")
        super().add_url_rule(rule, *args, **kwargs)

    def websocket(self, rule: str) -> Callable[[View], View]:
        """A route for WebSockets, whose view also gets the plain requests that it must refuse.

        werkzeug keeps the two apart, and needs a rule for each; the document needs one.
        """

        def decorator(view: View) -> View:
            self.add_url_rule(rule, view.__name__, view, methods=["GET"])
            flask.Blueprint.add_url_rule(self, rule, view.__name__, view, websocket=True)
            return view

        return decorator

    def allow(
        self,
        access: Access | Permission,
        *,
        redeem: Redeem | None = None,
        recent: bool = False,
        cookies: bool = True,
    ) -> Callable[[View], View]:
        """Who may call: checked before anything else of the request is read.

        :param redeem: uses up the ticket that a browser may send in place of a token.
        :param recent: whether the caller must have given the password not long ago.
        :param cookies: whether a cookie is good in place of a header.
        """

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                admit(access, redeem, recent=recent, cookies=cookies)
                return view(*args, **kwargs)

            facts = {"access": access, "recent": recent, "cookies": cookies}
            return _documented(wrapper, **facts, name=view.__name__)

        return decorator

    def limited(self, setting: str) -> Callable[[View], View]:
        """A limit stricter than the default: the setting that holds it.

        It counts by address: with a token of each account that an address has opened, it
        would otherwise have as many attempts more.
        """

        def limit() -> str:
            text: str = getattr(settings(), setting)
            return text

        def decorator(view: View) -> View:
            limited = limiter.limit(limit, key_func=address_key)(view)

            @wraps(limited)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                hold_to(limit())
                return limited(*args, **kwargs)

            return wrapper

        return decorator

    def arguments(self, schema: Any, **kwargs: Any) -> Callable[[View], View]:
        """As flask-smorest has it; a ``hot`` view gets its arguments on the fast path as well.

        One instance of the schema serves all requests: of a class webargs would make another one
        for each, which copies every field.
        """
        instance = schema() if isinstance(schema, type) else schema
        with_arguments = super().arguments(instance, **kwargs)

        def decorator(view: View) -> View:
            decorated: View = with_arguments(view)
            if plan := getattr(view, "plan", None):
                decorated.plan = with_query(plan, instance)  # type: ignore[attr-defined]
            return decorated

        return decorator

    def hot(self, view: View) -> View:
        """The view says how to read what many ask for (``core.hot_reads``); the answer is bytes.

        Callers without write permission share it, and it has an ETag.
        """

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            return respond(view(*args, **kwargs))

        wrapper.plan = lambda _query, *args, **kwargs: view(*args, **kwargs)  # type: ignore[attr-defined]
        return _documented(wrapper, etag=True)

    def idempotent(self, view: View) -> View:
        """What is asked for under an Idempotency-Key is done once (``core.http.idempotency``).

        The view's transactions are then parts of one, which keeps the answer as well.
        """

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            return answer_once(lambda: view(*args, **kwargs))

        return _documented(wrapper, idempotent=True)

    def optional_body(self, schema: type[Schema]) -> Callable[[View], View]:
        """A JSON body that may be left out; the view then gets None in its place."""

        def decorator(view: View) -> View:
            with_body = self.arguments(schema, required=False)(view)

            @wraps(with_body)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                if read_body(flask.request):
                    return with_body(*args, **kwargs)
                return view(*args, None, **kwargs)

            return wrapper

        return decorator

    def accepted(self, view: View) -> View:
        """202 without a body: what was asked for is done later, or not at all."""

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            view(*args, **kwargs)
            return Response(status=202)

        document = self.response(202)
        documented: View = document(wrapper)
        return documented

    def page(self, item: type[Schema]) -> Callable[[View], View]:
        """The view returns a ``Page``; the answer holds its items, and a Link to the next.

        Or it returns the answer itself, where the page is a ``hot`` read.
        """
        schema = page_of(item)

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Response:
                page = view(*args, **kwargs)
                return page if isinstance(page, Response) else page_response(page, schema)

            document = self.response(200, schema, headers=operations.PAGE_HEADERS)
            documented: View = document(wrapper)
            return documented

        return decorator

    def etag(self, view: View) -> View:
        """The view returns an ``Entity``, whose ``etag`` is the answer's ETag."""

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = view(*args, **kwargs)
            if result is not None:
                g.etag = result.etag
            return result

        return _documented(wrapper, etag=True)

    def located(self, endpoint: str, argument: str) -> Callable[[View], View]:
        """The view returns a new ``Entity``; Location names it by the route that reads it."""

        def decorator(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                entity = view(*args, **kwargs)
                return entity, {"Location": url_for(f".{endpoint}", **{argument: entity.id})}

            return _documented(wrapper, located=True)

        return decorator

    def raises(self, *errors: type[DomainError]) -> Callable[[View], View]:
        """Domain errors beyond those that every route can answer with."""
        return lambda view: _documented(view, errors=errors)


def _documented(view: View, **facts: Any) -> View:
    view._apidoc = {**getattr(view, "_apidoc", {}), **facts}  # type: ignore[attr-defined]  # noqa: SLF001 - flask-smorest reads it
    return view

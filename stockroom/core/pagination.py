"""Keyset pages: a cursor names the last row seen, so that no row is skipped or shown twice.

A cursor is opaque and signed. It holds the sort and the values of the last row in that sort.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from itsdangerous import BadData, HMACAlgorithm, Serializer, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_encode, want_bytes
from sqlalchemy import ColumnElement, FromClause, Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from stockroom.core.context import settings
from stockroom.core.errors import InvalidInput

T = TypeVar("T")

LARGEST_PAGE = 200
DEFAULT_PAGE = 50
_SHORT = 200


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What part of a list a client asks for.

    :ivar limit: rows, 1 to 200.
    :ivar cursor: ``next_cursor`` of the page before; None for the first page.
    :ivar count: whether to count all rows that match as well.
    """

    limit: int = DEFAULT_PAGE
    cursor: str | None = None
    count: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order in which a list can be read.

    :ivar name: tells cursors of different orders apart.
    :ivar column: what is sorted by; None where the id alone gives the order.
    :ivar id_column: breaks ties, in the same direction.
    :ivar parse: turns the column's value back from the text that a cursor holds.
    :ivar source: what the column is of, where that is more than the rows' own table.
    """

    name: str
    column: ColumnElement[Any] | None
    id_column: Any
    descending: bool = False
    parse: Callable[[str], Any] = str
    source: FromClause | None = None

    @property
    def keys(self) -> list[Any]:
        return [self.id_column] if self.column is None else [self.column, self.id_column]

    @property
    def key_names(self) -> list[str]:
        """How ``with_keys`` names the keys."""
        return [f"key_{number}" for number in range(len(self.keys))]

    def with_keys(self, statement: Select[Any]) -> Select[Any]:
        """The statement, which gives as its last columns what a cursor holds of each row."""
        labelled = (key.label(name) for name, key in zip(self.key_names, self.keys, strict=True))
        with_keys = statement.add_columns(*labelled)
        return with_keys if self.source is None else with_keys.select_from(self.source)

    def order_by(self) -> list[Any]:
        return [key.desc() if self.descending else key.asc() for key in self.keys]

    @property
    def behind(self) -> ColumnElement[bool]:
        """The condition for rows behind the one whose ``position`` the values are."""
        row = tuple_(*self.keys)
        last = tuple_(*(bindparam(_name(n), type_=key.type) for n, key in enumerate(self.keys)))
        return row < last if self.descending else row > last

    def position(self, cursor: str) -> dict[str, Any]:
        """The values of the row that the cursor names.

        :raises InvalidInput: if it is no cursor of this list in this order.
        """
        try:
            name, *texts, id_text = _serializer(settings().secret_key).loads(cursor)
            values = [self.parse(text) for text in texts] + [UUID(id_text)]
        except (BadData, ValueError, TypeError, ArithmeticError):
            raise InvalidInput({"cursor": ["Not a cursor of this list."]}) from None
        if name != self._full_name or len(values) != len(self.keys):
            raise InvalidInput({"cursor": ["This cursor belongs to another order of the list."]})
        return {_name(n): value for n, value in enumerate(values)}

    def cursor(self, values: Sequence[Any]) -> str:
        signed = _serializer(settings().secret_key).dumps([self._full_name, *map(_text, values)])
        # Bytes, as those who write JSON so quickly give bytes.
        return want_bytes(signed).decode()

    @property
    def _full_name(self) -> str:
        return f"{self.id_column} {self.name}"


def read_page(
    session: Session,
    statement: Select[tuple[T]],
    keyset: Keyset,
    request: PageRequest,
    values: Mapping[str, Any] | None = None,
) -> Page[T]:
    """One page of what the statement selects: a single query, two with a count.

    :param values: those of the statement's own parameters.
    """
    values = dict(values or {})
    total = None
    if request.count:
        total = session.scalar(select(func.count()).select_from(statement.subquery()), values)
    page = keyset.with_keys(statement).order_by(*keyset.order_by())
    if request.cursor is not None:
        page = page.where(keyset.behind)
        values |= keyset.position(request.cursor)
    # One row more than asked for tells whether another page follows.
    rows = session.execute(page.limit(request.limit + 1), values).all()
    items = [row[0] for row in rows[: request.limit]]
    has_more = len(rows) > request.limit
    next_cursor = keyset.cursor(rows[request.limit - 1][1:]) if has_more else None
    return Page(items, next_cursor, total)


def every_item(read: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    """All items of a list, read page by page as they are consumed."""
    cursor = None
    while True:
        page = read(PageRequest(LARGEST_PAGE, cursor))
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return


def _name(number: int) -> str:
    return f"position_{number}"


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class _Algorithm(HMACAlgorithm):
    """Signs in one call: an object for each signature takes three times as long."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, self.digest_method)


class _Signer(Signer):
    """Derives a key once, not for each signature."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.derive_key = cache(super().derive_key)  # type: ignore[method-assign]


class _Serializer(URLSafeSerializer):
    """Compresses what is long; most cursors are not, and the attempt takes more than the rest."""

    default_signer = _Signer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.make_signer = cache(super().make_signer)  # type: ignore[method-assign]

    def dump_payload(self, obj: Any) -> bytes:
        json = Serializer.dump_payload(self, obj)
        return base64_encode(json) if len(json) <= _SHORT else super().dump_payload(obj)


@cache
def _serializer(secret_key: str) -> _Serializer:
    signing = {"digest_method": hashlib.sha256, "algorithm": _Algorithm(hashlib.sha256)}
    return _Serializer(secret_key, salt="cursor", serializer=orjson, signer_kwargs=signing)

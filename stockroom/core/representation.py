"""What a client gets of something, as bytes, before HTTP is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stockroom.core.prepared import Prepared, Row


@dataclass(frozen=True, slots=True)
class Representation:
    """A JSON document as it is sent.

    :ivar etag: its entity tag (RFC 9110, 8.8.3), without quotes.
    :ivar next_cursor: of a page, where another one follows.
    """

    body: bytes
    etag: str
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the database is asked for, and what is made of its answer.

    :ivar query: gives what is asked.
    :ivar shown: makes the representation of all rows; raises DomainError if there is nothing that
        this reader may see.
    :ivar takes_time: whether the query has to be written out first, or ``shown`` asks once more.
    """

    query: Callable[[], Prepared]
    values: Mapping[str, Any]
    shown: Callable[[list[Row]], Representation]
    takes_time: bool = False

    def answer(self) -> Representation:
        """:raises DomainError: as ``shown`` does.
        :raises Unavailable: if the database does not answer.
        """
        return self.shown(self.query().all(**self.values))


class Read(Protocol):
    """How to read what one address shows, as it is when it is asked for."""

    def __call__(self, *, to_staff: bool) -> Question:
        """:raises DomainError: for what cannot be asked."""

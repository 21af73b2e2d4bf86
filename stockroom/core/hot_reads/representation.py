"""What a client gets of something, as bytes, before HTTP is told of it."""

from dataclasses import dataclass
from typing import Protocol

from stockroom.core.sql.question import Question


@dataclass(frozen=True, slots=True)
class Representation:
    """A JSON document as it is sent.

    :ivar etag: its entity tag (RFC 9110, 8.8.3), without quotes.
    :ivar next_cursor: of a page, where another one follows.
    """

    body: bytes
    etag: str
    next_cursor: str | None = None


class Read(Protocol):
    """How to read what one address shows, as it is when it is asked for."""

    def __call__(self, *, to_staff: bool) -> Question[Representation]:
        """:raises DomainError: for what cannot be asked."""

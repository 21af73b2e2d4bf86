"""What a client gets of something, as bytes, before HTTP is told of it."""

from dataclasses import dataclass
from typing import Protocol


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
    """Reads what one address shows, anew each time it is called."""

    def __call__(self, *, to_staff: bool) -> Representation:
        """:raises DomainError: if there is nothing that this reader may see."""

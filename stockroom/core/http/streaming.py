"""Answers that are made while they are sent."""

from collections.abc import Iterator
from itertools import chain

from flask import stream_with_context


def started(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, the first of them made now: an error then still has its own status."""
    first = next(chunks, b"")
    return stream_with_context(chain([first], chunks))

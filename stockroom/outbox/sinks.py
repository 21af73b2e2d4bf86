"""Where events go: the sinks that take each event once, and the listeners that are told of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy.orm import Session

_KEY = "stockroom.sinks"


@dataclass(frozen=True, slots=True)
class Sink:
    """Takes every event exactly once, in order, in the transaction that moves its cursor.

    :ivar name: names its cursor, and is not changed.
    :ivar take: called with the positions ``after`` and ``through``: it takes what lies between.
    :ivar through: the position up to which it needs no event any more, if that lies behind its
        cursor.
    """

    name: str
    take: Callable[[Session, int, int], object]
    through: Callable[[Session], int | None] = lambda _session: None


Listener = Callable[[int], object]
"""Told of the newest position after each commit of the relay; it finds what it missed by itself."""


@dataclass(frozen=True, slots=True)
class Outlets:
    sinks: Sequence[Sink] = ()
    listeners: Sequence[Listener] = ()


def bind_outlets(extensions: dict[str, object], outlets: Outlets) -> None:
    extensions[_KEY] = outlets


def bound_outlets() -> Outlets:
    """The sinks and listeners of the application that is running this code."""
    outlets = current_app.extensions[_KEY]
    assert isinstance(outlets, Outlets)  # noqa: S101 - tells the type checker
    return outlets

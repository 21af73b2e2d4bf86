"""What the running code belongs to: an application with its settings, a request, a caller.

For code that must not know Flask.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, current_app

from stockroom.config import Settings

_KEY = "stockroom.settings"

client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
"""Where the request comes from; None in commands and jobs."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The account on whose behalf code runs, and by which session or API key."""

    user_id: UUID
    session_id: UUID | None = None
    key_id: UUID | None = None


actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
"""On whose behalf the code runs; None where nobody has logged in."""


@contextmanager
def acting_as(who: Actor | None) -> Iterator[None]:
    """What is done in the block, ``who`` does; None stands for the system, which has no address."""
    before = actor.set(who)
    address = client_address.set(client_address.get() if who else None)
    try:
        yield
    finally:
        client_address.reset(address)
        actor.reset(before)


def bind_settings(extensions: dict[str, object], settings: Settings) -> None:
    extensions[_KEY] = settings


def settings() -> Settings:
    """The settings of the application that is running this code."""
    bound = belongings()[_KEY]
    assert isinstance(bound, Settings)  # noqa: S101 - tells the type checker
    return bound


def entering_application() -> Callable[[], AbstractContextManager[object]]:
    """What a thread of its own enters, to go on for the application that is running this code."""
    return _application().app_context


def belongings() -> dict[str, Any]:
    """What parts of the application keep with it, each under a name of its own."""
    return _application().extensions


def _application() -> Flask:
    """Itself: what stands for it takes three times as long to give an attribute."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the documented way
    return app

"""What the running code belongs to: an application with its settings, a request, a caller.

For code that must not know Flask.
"""

from contextvars import ContextVar
from uuid import UUID

from flask import current_app

from stockroom.config import Settings

_KEY = "stockroom.settings"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered; None in commands and jobs."""

actor_id: ContextVar[UUID | None] = ContextVar("actor_id", default=None)
"""The account on whose behalf the code runs; None where nobody has logged in."""


def bind_settings(extensions: dict[str, object], settings: Settings) -> None:
    extensions[_KEY] = settings


def settings() -> Settings:
    """The settings of the application that is running this code."""
    bound = current_app.extensions[_KEY]
    assert isinstance(bound, Settings)  # noqa: S101 - tells the type checker
    return bound

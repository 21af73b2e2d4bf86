"""What the running application was configured with, for code that must not know Flask."""

from flask import current_app

from stockroom.config import Settings

_KEY = "stockroom.settings"


def bind_settings(extensions: dict[str, object], settings: Settings) -> None:
    extensions[_KEY] = settings


def settings() -> Settings:
    """The settings of the application that is running this code."""
    bound = current_app.extensions[_KEY]
    assert isinstance(bound, Settings)  # noqa: S101 - tells the type checker
    return bound

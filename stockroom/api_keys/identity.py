"""Makes the application know the callers of API keys."""

from flask import Flask

from stockroom.api_keys.lookup import find_caller
from stockroom.core.callers.key_header import bind_key_finder


def init_app(app: Flask) -> None:
    bind_key_finder(app.extensions, find_caller)

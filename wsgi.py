"""The WSGI entry point: ``gunicorn wsgi:app``."""

from stockroom.app import create_app
from stockroom.config import load_settings_or_exit

app = create_app(load_settings_or_exit())

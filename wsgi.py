"""The WSGI entry point: ``gunicorn wsgi:app``."""

from stockroom.app import create_app

app = create_app()

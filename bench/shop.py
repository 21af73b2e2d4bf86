"""The application as a shop runs it, on servers of its own, with a catalogue of real size."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cryptography.fernet import Fernet
from flask import Flask

from bench.latency import site
from stockroom.app import create_app
from stockroom.config import Environment, LogFormat, Settings

WORKERS = 2
THREADS = 4
NO_LIMIT = "100000 per second"


@contextmanager
def shop() -> Iterator[Settings]:
    """PostgreSQL and Redis, and the settings with which to serve: those of production."""
    with site(with_redis=True, serve=False) as settings:
        yield replace(
            settings,
            environment=Environment.PRODUCTION,
            secret_key=Fernet.generate_key().decode(),
            jwt_secret_key=Fernet.generate_key().decode(),
            web_concurrency=WORKERS,
            log_format=LogFormat.JSON,
            log_level=logging.INFO,
        )


def for_one_caller(settings: Settings) -> Settings:
    """The settings for wrk, which is one caller for all: no more than four threads, no refusals."""
    return replace(
        settings,
        web_threads=THREADS,
        stream_connections=0,
        rate_limit=NO_LIMIT,
        rate_limit_login=NO_LIMIT,
        # The token has to last as long as the bench.
        access_token_minutes=24 * 60,
    )


def backstage(settings: Settings) -> Flask:
    """An application to prepare the database with: what it does is no traffic, and not logged."""
    return create_app(replace(settings, log_level=logging.WARNING))

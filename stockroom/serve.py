"""``flask serve``: from a fresh clone to a running service in one command."""

import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRINUSE, EADDRNOTAVAIL
from pathlib import Path
from typing import IO, Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from gunicorn.app.base import Application

from stockroom.config import ROOT, Settings
from stockroom.core.console import plain_errors
from stockroom.core.context import settings
from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.products import service as products
from stockroom.transfers.formats import Format
from stockroom.transfers.imports import import_file
from stockroom.transfers.product_rows import ProductRows
from stockroom.users import service as users

SAMPLES = Path(__file__).parent / "samples" / "catalogue.csv"
ADMINISTRATOR = "admin@example.com"
PATIENCE_SECONDS = 5
"""How long a predecessor that was killed may take until its last process has noticed."""


@click.command()
@with_appcontext
def serve() -> None:
    """Migrate the database, fill it if it is empty, and serve until Ctrl-C.

    An empty catalogue gets a few samples; without an administrator, one is made, whose password
    is printed once.

    Example: flask serve
    """
    current = settings()
    with plain_errors(), _only_one(current):
        _require_free_port(current)
        upgrade()
        _add_samples()
        _add_administrator()
        # Connections must not be shared with the workers that gunicorn forks.
        db.engine.dispose()
        _Server(current_app._get_current_object(), current).run()  # type: ignore[attr-defined]  # noqa: SLF001


class _Server(Application):
    """gunicorn around an application that exists already, configured by gunicorn.conf.py."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        self.load_config_from_file(str(ROOT / "gunicorn.conf.py"))
        # The application exists already, made of what greenlets would have to replace before.
        self.cfg.set("worker_class", "stockroom.serving.thread_worker.PatientWorker")
        self.cfg.set("when_ready", lambda _arbiter: _announce(self._settings))

    def load(self) -> Any:
        return self._app


def _announce(settings: Settings) -> None:
    click.secho(f"\nStockroom is ready: {settings.base_url}/api/v1", fg="green", bold=True)
    click.echo(f"Its documentation:  {settings.base_url}/docs")
    if not settings.mail_url:
        click.echo(f"Mails are written to {settings.instance_path / 'mail'}: MAIL_URL is not set.")
    click.echo("Ctrl-C stops it.\n")


def _add_samples() -> None:
    if not products.is_empty():
        return
    with SAMPLES.open("rb") as file:
        summary = import_file(file, Format.CSV, ProductRows("samples"))
    click.echo(f"Added a sample catalogue of {summary.counts.total()} products.")


def _add_administrator() -> None:
    if users.has_administrator():
        return
    password = secrets.token_urlsafe(15)
    users.create(email=ADMINISTRATOR, password=password, role=Role.ADMIN)
    click.echo("Made an administrator; the password is shown this once:")
    click.secho(f"  email     {ADMINISTRATOR}\n  password  {password}", bold=True)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold this checkout for one server.

    :raises ClickException: if another one has it.
    """
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    with (settings.instance_path / "serve.lock").open("a+") as file:
        # A record lock is not inherited by workers: it is gone with the process, however it ends.
        if not _lock(file):
            file.seek(0)
            raise click.ClickException(f"Stockroom runs here already: {file.read().strip()}.")
        file.truncate(0)
        file.write(f"process {os.getpid()}, {settings.base_url}")
        file.flush()
        yield


def _require_free_port(settings: Settings) -> None:
    """:raises ClickException: if another program listens there, or nobody can."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _can_bind(settings.host, settings.port):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"Port {settings.port} is in use by another program. Choose a free one: "
                f"PORT={settings.port + 1} make run"
            )
        time.sleep(0.1)


def _can_bind(host: str, port: int) -> bool:
    """Whether nobody listens there yet.

    :raises ClickException: if this process cannot do so anyway.
    """
    try:
        _bind(host, port)
    except (socket.gaierror, UnicodeError):
        reason = "the name cannot be resolved"
    except OSError as error:
        if error.errno == EADDRINUSE:
            return False
        is_elsewhere = error.errno == EADDRNOTAVAIL
        reason = "not an address of this machine" if is_elsewhere else str(error.strerror)
    else:
        return True
    raise click.ClickException(f"Cannot listen on HOST={host} PORT={port}: {reason}.")


def _bind(host: str, port: int) -> None:
    # As gunicorn has it: an address of IPv6 is in brackets, and names are looked up for IPv4.
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    (*_, address), *_ = socket.getaddrinfo(host.strip("[]"), port, family, socket.SOCK_STREAM)
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

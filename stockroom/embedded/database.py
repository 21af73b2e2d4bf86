"""The role and the database that the application uses, in a private server."""

import time
from contextlib import closing
from pathlib import Path

import psycopg2
import psycopg2.extensions

from stockroom.embedded.conf import ROLE, SUPERUSER
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.embedded.postmaster import PORT

READY_SECONDS = 120


def ensure_database(sockets: Path) -> None:
    """Wait until the server is ready, and make the role and the database unless they are there.

    Raises EmbeddedServerError if it does not get ready or refuses.
    """
    try:
        with closing(_connect(sockets)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (ROLE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
    except psycopg2.Error as error:
        raise EmbeddedServerError(
            f"The private PostgreSQL in {sockets} cannot be used.", str(error)
        ) from error


def _connect(sockets: Path) -> psycopg2.extensions.connection:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            connection = psycopg2.connect(
                host=str(sockets), port=PORT, user=SUPERUSER, dbname=SUPERUSER
            )
        except psycopg2.OperationalError as error:
            # "... is starting up", "... is in recovery mode": it listens, but is not ready.
            if "the database system is" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            connection.autocommit = True
            return connection

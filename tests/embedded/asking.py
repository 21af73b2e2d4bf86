"""Asking a private server."""

from contextlib import closing
from typing import Any

import psycopg2
import psycopg2.extensions

from stockroom.embedded.postgres import ConnectionInfo


def connected(info: ConnectionInfo) -> closing[psycopg2.extensions.connection]:
    parameters: dict[str, Any] = {**info.libpq()}
    return closing(psycopg2.connect(**parameters))


def ask(info: ConnectionInfo, query: str) -> object:
    with connected(info) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

"""Statements of the application, written for pgbench and run by it."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from stockroom.embedded.binaries import find

_UUID = re.compile(r"'([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})'")


@contextmanager
def seen(engine: Engine) -> Iterator[list[str]]:
    """Every message, as the server gets it; transactions with their ends."""
    statements: list[str] = []

    class Noting(cursor):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name
            super().execute(query, vars)
            if not self.connection.autocommit and "BEGIN" not in statements:
                statements.append("BEGIN")
            statements.append(self.query.decode().strip())

    def watch(connection: Any, *_: object) -> None:
        connection.cursor_factory = Noting

    def end(_: object) -> None:
        statements.append("COMMIT")

    event.listen(engine, "checkout", watch)
    event.listen(engine, "commit", end)
    yield statements
    event.remove(engine, "checkout", watch)
    event.remove(engine, "commit", end)


def script(statements: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """The statements, with names in place of some values and new ids in place of those inserted.

    :param names: an SQL expression for each value; it may use pgbench's variables. New ids are made
        of the variable ``n``.
    """
    known: set[str] = set()
    for statement in statements:
        text = re.sub(r"\s+", " ", statement)
        for value, name in names.items():
            text = text.replace(f"'{value}'", name)
        if "INSERT INTO" in text:
            text = _with_new_ids(text, known)
        else:
            known |= {UUID(value).hex for value in _UUID.findall(text)}
        # With a backslash before them, pgbench sends the parts of a message together.
        message = text.replace("; ", r" \; ")
        yield f"{message};"


def _with_new_ids(statement: str, known: set[str]) -> str:
    def fresh(found: re.Match[str]) -> str:
        value = UUID(found[1]).hex
        return found[0] if value in known else f"(md5(:n || '{value}')::uuid)"

    return _UUID.sub(fresh, statement)


def transactions_a_second(address: str, file: Path, *, connections: int, seconds: int) -> float:
    """How often pgbench gets the script in the file done.

    :raises AssertionError: with what it printed, if that is no result.
    """
    url = make_url(address)
    command = [
        str(find().folder / "pgbench"),
        *("--no-vacuum", f"--client={connections}", "--jobs=2", "--protocol=simple"),
        *(f"--time={seconds}", f"--file={file}"),
        *(f"--host={url.query['host']}", f"--port={url.query['port']}"),
        *(f"--username={url.username}", str(url.database)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])

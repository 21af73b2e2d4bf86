"""What a file has said so far, kept on disk: memory does not grow with the file."""

import re
import sqlite3
import weakref
from typing import NamedTuple

CACHE_KIB = 16 * 1024

# Of Σ and İ not all systems have the same small letter: PostgreSQL tells whether they meet.
_OF_ONE_CASE = re.compile("[^Σİ]+")


class Place(NamedTuple):
    """Where a SKU stands in the file, as it is written there."""

    sku: str
    line: int


class _Scratch:
    """Tables in a file that SQLite makes and removes by itself.

    It holds nothing but what the import could read again, so nothing of it has to reach the disk
    in order.
    """

    def __init__(self, *tables: str) -> None:
        # The empty name stands for such a file; the checks of an import move to another thread.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("BEGIN")
        for table in tables:
            self._database.execute(f"CREATE TABLE {table} WITHOUT ROWID")


class SeenSkus(_Scratch):
    """The SKUs of a file, regardless of case as far as that is certain without the database."""

    def __init__(self) -> None:
        super().__init__("seen (key TEXT PRIMARY KEY, sku TEXT, line INTEGER)")

    def add(self, sku: str, line: int) -> Place:
        """Where the SKU stands first, in any case; that is here if it was not seen before."""
        key = _OF_ONE_CASE.sub(lambda part: part[0].lower(), sku)
        insertion = "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        if self._database.execute(insertion, (key, sku, line)).rowcount:
            return Place(sku, line)
        found = self._database.execute("SELECT sku, line FROM seen WHERE key = ?", (key,))
        return Place._make(found.fetchone())


class Document(NamedTuple):
    """What rows of a history are counted by; the SKU is the same in any case."""

    reference: str
    sku: str
    kind: str


class SeenRows(_Scratch):
    """The rows of a history."""

    def __init__(self) -> None:
        names = ", ".join(Document._fields)
        super().__init__(
            f"documents ({names}, rows INTEGER, PRIMARY KEY ({names}))",
            f"seen ({names}, ordinal INTEGER, line INTEGER, PRIMARY KEY ({names}, ordinal))",
        )

    def count(self, document: Document) -> int:
        """Count a row of the document; returns the how manieth it is."""
        counting = (
            "INSERT INTO documents VALUES (?, ?, ?, 1) "
            "ON CONFLICT (reference, sku, kind) DO UPDATE SET rows = rows + 1"
        )
        self._database.execute(counting, document)
        counted = "SELECT rows FROM documents WHERE (reference, sku, kind) = (?, ?, ?)"
        return int(self._database.execute(counted, document).fetchone()[0])

    def add(self, document: Document, ordinal: int, line: int) -> int:
        """The line in which the row stands first; that is this one if it was not seen before."""
        key = (*document, ordinal)
        insertion = "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if self._database.execute(insertion, (*key, line)).rowcount:
            return line
        seen = "SELECT line FROM seen WHERE (reference, sku, kind, ordinal) = (?, ?, ?, ?)"
        return int(self._database.execute(seen, key).fetchone()[0])

"""Files of products: their formats, their columns, and what a row of one is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Any

NEEDED = ("sku", "name", "price")
COLUMNS = (
    "sku",
    "name",
    "description",
    "price",
    "currency",
    "family",
    "options",
    "attributes",
    "status",
)
JSON_COLUMNS = ("options", "attributes")
PLACE_COLUMNS = ("line", "reason")
"""What a file of rejected rows tells about each; an import passes over them."""


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def media_type(self) -> str:
        return {"csv": "text/csv", "ndjson": "application/x-ndjson"}[self.value]


def format_of(name: str) -> Format:
    """The format that a file's name tells; CSV if it tells none."""
    is_ndjson = PurePath(name).suffix.lower() in {".ndjson", ".jsonl"}
    return Format.NDJSON if is_ndjson else Format.CSV


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file.

    :ivar line: the line it begins in, from 1.
    :ivar values: by column, as the schema takes them.
    :ivar flaw: why the row cannot be read at all, if it cannot.
    """

    line: int
    values: Mapping[str, Any]
    flaw: str = ""

"""Files of products and of movements: their formats, their columns, and what a row of one is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a kind of file.

    :ivar needed: the ones that every row has.
    :ivar columns: all that mean something, in the order in which they are written.
    :ivar json: those whose cells are JSON; ``numbers``: those whose cells are whole numbers.
    :ivar why: the column of a file of rejected rows that tells why a row was rejected.
    :ivar when_empty: what an empty cell of a column means; elsewhere, it is as if not there.
    """

    needed: tuple[str, ...]
    columns: tuple[str, ...]
    json: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    why: str = "reason"
    when_empty: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        """What a file of rejected rows tells about each; an import passes over it."""
        return ("line", self.why)


PRODUCTS = Layout(
    needed=("sku", "name", "price"),
    columns=(
        "sku",
        "name",
        "description",
        "price",
        "currency",
        "family",
        "options",
        "attributes",
        "status",
        "stock",
        "low_stock_threshold",
    ),
    json=("options", "attributes"),
    numbers=("stock", "low_stock_threshold"),
    when_empty={
        "description": None,
        "family": None,
        "options": {},
        "attributes": {},
        "low_stock_threshold": None,
    },
)
MOVEMENTS = Layout(
    needed=("sku", "kind", "quantity", "reference"),
    columns=(
        "sku",
        "kind",
        "quantity",
        "occurred_at",
        "reference",
        "ordinal",
        "location",
        "to_location",
        "reason",
    ),
    numbers=("quantity", "ordinal"),
    why="rejection",
)


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

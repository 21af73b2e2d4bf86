"""Bringing a file of products into the catalogue: good rows are taken, bad ones are named."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from marshmallow import EXCLUDE, ValidationError

from stockroom.core.errors import in_one_line
from stockroom.core.parser import flattened
from stockroom.products.batch import Result, upsert
from stockroom.products.schemas import ProductInputSchema
from stockroom.products.service import ProductFields
from stockroom.transfers.formats import COLUMNS, PLACE_COLUMNS, Format, Row
from stockroom.transfers.reading import check_whole, read_rows

ROWS_AT_ONCE = 500

_EXPECTED_COLUMNS = {*COLUMNS, *PLACE_COLUMNS, ""}

OnReject = Callable[[Row, str], None]
OnProgress = Callable[[int], None]


@dataclass(slots=True)
class Summary:
    """What an import did.

    :ivar counts: rows by result.
    :ivar unknown_columns: names in the file that mean nothing here, and were ignored.
    """

    counts: Counter[Result] = field(default_factory=Counter)
    unknown_columns: set[str] = field(default_factory=set)


def import_products(
    file: IO[bytes],
    kind: Format,
    *,
    dry_run: bool = False,
    on_reject: OnReject = lambda _row, _reason: None,
    on_progress: OnProgress = lambda _position: None,
) -> Summary:
    """Create and update products by SKU from a file, some hundred rows a transaction.

    :param file: open for reading, and able to go back to its beginning.
    :param dry_run: tell what would happen, and write nothing.
    :param on_reject: called with each row that is not taken, and why.
    :param on_progress: called with the position in the file, in bytes.
    :raises UnreadableFile: before anything is written, if the file as a whole is unusable.
    """
    check_whole(file, kind)
    summary, screen = Summary(), _Screen()
    for rows in _chunks(read_rows(file, kind), ROWS_AT_ONCE):
        reasons = dict(_take(rows, screen, summary, dry_run=dry_run))
        for row in rows:
            if row.line in reasons:
                on_reject(row, reasons[row.line])
        on_progress(file.tell())
    summary.unknown_columns = screen.unknown_columns
    return summary


def _take(
    rows: Iterable[Row], screen: "_Screen", summary: Summary, *, dry_run: bool
) -> Iterator[tuple[int, str]]:
    """Write the good rows and count all; yields line and reason of those not taken."""
    good: dict[int, ProductFields] = {}
    for row in rows:
        try:
            good[row.line] = screen.check(row)
        except _BadRow as flaw:
            summary.counts[Result.REJECTED] += 1
            yield row.line, str(flaw)
    outcomes = upsert(list(good.values()), dry_run=dry_run)
    for line, outcome in zip(good, outcomes, strict=True):
        summary.counts[outcome.result] += 1
        if outcome.result is Result.REJECTED:
            yield line, outcome.reason


class _BadRow(Exception):
    """Why a row is not taken."""


class _Screen:
    """Checks rows as the API checks a body, and SKUs against those of earlier rows."""

    def __init__(self) -> None:
        self.unknown_columns: set[str] = set()
        self._schema = ProductInputSchema(unknown=EXCLUDE)
        self._seen: dict[str, tuple[str, int]] = {}

    def check(self, row: Row) -> ProductFields:
        """:raises _BadRow: if the row cannot be taken."""
        if row.flaw:
            raise _BadRow(row.flaw)
        self.unknown_columns |= row.values.keys() - _EXPECTED_COLUMNS
        try:
            fields: ProductFields = self._schema.load(row.values)
        except ValidationError as error:
            raise _BadRow(in_one_line(dict(flattened(error.messages)))) from None
        sku, key = fields["sku"], fields["sku"].lower()
        earlier, line = self._seen.setdefault(key, (sku, row.line))
        if earlier != sku:
            raise _BadRow(f"SKU {sku} differs only in case from {earlier} in line {line}")
        if line != row.line:
            raise _BadRow(f"SKU {sku} stands in line {line} already")
        return fields


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk

"""Taking the rows of a file, some hundred a transaction: good ones are kept, bad ones named."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, Generic, Protocol, TypeVar

from marshmallow import Schema, ValidationError

from stockroom.core.errors import in_one_line
from stockroom.core.parser import flattened
from stockroom.transfers.formats import Format, Layout, Row
from stockroom.transfers.reading import check_whole, read_rows

ROWS_AT_ONCE = 500
REJECTED = "rejected"

T = TypeVar("T")

OnReject = Callable[[Row, str], None]
OnProgress = Callable[[int], None]


class BadRow(Exception):
    """Why a row is not taken."""


class Outcome(Protocol):
    """What became of a row; ``reason`` where it was rejected."""

    @property
    def result(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Taker(Protocol[T]):
    """What a kind of file is good for.

    :ivar check: what a row says; raises ``BadRow`` where it cannot be taken.
    :ivar take: writes some of them in one transaction; returns an outcome for each.
    """

    layout: Layout

    def check(self, row: Row) -> T: ...

    def take(self, rows: Sequence[T]) -> Sequence[Outcome]: ...


@dataclass(slots=True)
class Summary:
    """What an import did.

    :ivar counts: rows by result.
    :ivar unknown_columns: names in the file that mean nothing here, and were ignored.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unknown_columns: set[str] = field(default_factory=set)


def import_file(
    file: IO[bytes],
    kind: Format,
    taker: Taker[Any],
    *,
    on_reject: OnReject = lambda _row, _reason: None,
    on_progress: OnProgress = lambda _position: None,
) -> Summary:
    """Have the taker take all rows of a file.

    :param file: open for reading, and able to go back to its beginning.
    :param on_reject: called with each row that is not taken, and why.
    :param on_progress: called with the position in the file, in bytes.
    :raises UnreadableFile: before anything is written, if the file as a whole is unusable.
    """
    check_whole(file, kind)
    run = _Run(taker)
    for rows in _chunks(read_rows(file, kind, taker.layout), ROWS_AT_ONCE):
        reasons = dict(run.take(rows))
        for row in rows:
            if row.line in reasons:
                on_reject(row, reasons[row.line])
        on_progress(file.tell())
    return run.summary


def load_row(schema: Schema, row: Row) -> Any:
    """What a row says, checked as the API checks a body.

    :raises BadRow: naming what is wrong with each field.
    """
    if row.flaw:
        raise BadRow(row.flaw)
    try:
        return schema.load(row.values)
    except ValidationError as error:
        raise BadRow(in_one_line(dict(flattened(error.messages)))) from None


class _Run(Generic[T]):
    def __init__(self, taker: Taker[T]) -> None:
        self.summary = Summary()
        self._taker = taker
        self._expected = {*taker.layout.columns, *taker.layout.place, ""}

    def take(self, rows: Iterable[Row]) -> Iterator[tuple[int, str]]:
        """Write the good rows and count all; yields line and reason of those not taken."""
        good: dict[int, T] = {}
        for row in rows:
            if not row.flaw:
                self.summary.unknown_columns |= row.values.keys() - self._expected
            try:
                good[row.line] = self._taker.check(row)
            except BadRow as flaw:
                self.summary.counts[REJECTED] += 1
                yield row.line, str(flaw)
        outcomes = self._taker.take(list(good.values()))
        for line, outcome in zip(good, outcomes, strict=True):
            self.summary.counts[outcome.result] += 1
            if outcome.result == REJECTED:
                yield line, outcome.reason


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk

"""Taking the rows of a file, a thousand a transaction: good ones are kept, bad ones named."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, Generic, Protocol, TypeVar

from marshmallow import ValidationError

from stockroom.core.errors import in_one_line
from stockroom.core.http.parser import flattened
from stockroom.transfers.formats import Format, Layout, Row
from stockroom.transfers.reading import check_whole, read_rows

ROWS_AT_ONCE = 1000
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
    """What a kind of file is good for. While some rows are taken, the next are checked, in another
    thread.

    :ivar placed: the row with what the taker knows it by, as it is kept if it is rejected.
    :ivar check: what a row says; raises ``BadRow`` where it cannot be taken.
    :ivar take: writes some of them in one transaction; returns an outcome for each.
    """

    layout: Layout

    def placed(self, row: Row, /) -> Row: ...

    def check(self, row: Row, /) -> T: ...

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
    run = _Run(taker, on_reject)
    # Closed at once where an import breaks off: what reads the file has to let go of it first.
    with closing(read_rows(file, kind, taker.layout)) as rows:
        batches = (run.check(some, file) for some in _chunks(rows, ROWS_AT_ONCE))
        with closing(_behind(run.write, batches)) as written:
            for batch, outcomes in written:
                run.tell(batch, outcomes)
                on_progress(batch.end)
    return run.summary


class Loader(Protocol):
    """A schema, or what loads the same."""

    def load(self, values: Mapping[str, Any], /) -> Any: ...


def load_row(schema: Loader, row: Row) -> Any:
    """What a row says, checked as the API checks a body.

    :raises BadRow: naming what is wrong with each field.
    """
    if row.flaw:
        raise BadRow(row.flaw)
    try:
        return schema.load(row.values)
    except ValidationError as error:
        raise BadRow(in_one_line(dict(flattened(error.messages)))) from None


@dataclass(slots=True)
class _Batch(Generic[T]):
    """Rows that were checked.

    :ivar good: what those say that can be taken, by line.
    :ivar reasons: why the others cannot, by line.
    :ivar end: the position in the file to which it was read for them, in bytes.
    """

    rows: Sequence[Row]
    end: int
    good: dict[int, T] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)


class _Run(Generic[T]):
    def __init__(self, taker: Taker[T], on_reject: OnReject) -> None:
        self.summary = Summary()
        self._taker = taker
        self._on_reject = on_reject
        self._expected = {*taker.layout.columns, *taker.layout.place, ""}

    def check(self, rows: Sequence[Row], file: IO[bytes]) -> _Batch[T]:
        batch = _Batch[T]([self._taker.placed(row) for row in rows], file.tell())
        for row in batch.rows:
            if not row.flaw:
                self.summary.unknown_columns |= row.values.keys() - self._expected
            try:
                batch.good[row.line] = self._taker.check(row)
            except BadRow as flaw:
                batch.reasons[row.line] = str(flaw)
        return batch

    def write(self, batch: _Batch[T]) -> Sequence[Outcome]:
        return self._taker.take(list(batch.good.values()))

    def tell(self, batch: _Batch[T], outcomes: Sequence[Outcome]) -> None:
        """Count the rows by what became of them, and name those that were not taken."""
        for line, outcome in zip(batch.good, outcomes, strict=True):
            if outcome.result == REJECTED:
                batch.reasons[line] = outcome.reason
            else:
                self.summary.counts[outcome.result] += 1
        for row in batch.rows:
            if row.line in batch.reasons:
                self.summary.counts[REJECTED] += 1
                self._on_reject(row, batch.reasons[row.line])


def _behind(
    write: Callable[[_Batch[T]], Sequence[Outcome]], batches: Iterator[_Batch[T]]
) -> Generator[tuple[_Batch[T], Sequence[Outcome]]]:
    """Each batch and its outcomes; while PostgreSQL is at one, the next is read and checked."""
    with ThreadPoolExecutor(1, thread_name_prefix="import") as writer:
        under_way: tuple[_Batch[T], Future[Sequence[Outcome]]] | None = None
        for batch in batches:
            # Nothing more is written after a batch that failed.
            if under_way:
                yield under_way[0], under_way[1].result()
            # The thread goes on for the application, the actor and the transaction of this one.
            under_way = batch, writer.submit(copy_context().run, write, batch)
        if under_way:
            yield under_way[0], under_way[1].result()


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk

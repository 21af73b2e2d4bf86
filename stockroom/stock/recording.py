"""Recording the movements of a file, such as a shop's history.

A row is known by its reference, product and kind, and by its ordinal, which is its place among the
rows of the file that share all three: so a file that is recorded again changes nothing, and one
that was broken off is completed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from stockroom.core.transaction import retried, transaction
from stockroom.stock import repository
from stockroom.stock.books import LOCK_SECONDS, Books
from stockroom.stock.errors import InsufficientStock
from stockroom.stock.expiry import expire_of
from stockroom.stock.models import MAIN, MovementKind
from stockroom.stock.service import NewMovement, book, changes_of
from stockroom.stock.values import Item, Key


class RecordedRow(NewMovement, total=False):
    """A movement as a file has it; ``reference`` and ``ordinal`` are needed.

    :ivar ordinal: the how manieth row it is, from 1, of those with the same reference, SKU and
        kind.
    """

    sku: str


class Recorded(StrEnum):
    RECORDED = "recorded"
    KNOWN = "known"
    REJECTED = "rejected"


class Outcome(NamedTuple):
    """What became of a row; a rejected one has a reason."""

    result: Recorded
    reason: str = ""


@contextmanager
def rehearsal() -> Iterator[None]:
    """Within it, what is recorded is seen by what is recorded next, and nothing of it is kept.

    What it has booked on stays locked until it ends. As it is one transaction, a lock that is not
    had in time ends it.

    :raises Busy: for such a lock, or a deadlock.
    """
    with transaction(dry_run=True, lock_seconds=LOCK_SECONDS):
        yield


@retried
def record_rows(rows: Sequence[RecordedRow]) -> list[Outcome]:
    """Book the rows that are not in the ledger yet, in their order and in one transaction.

    Rejected is a row whose product or location there is not, that takes out more than is available,
    or that the ledger has otherwise.
    """
    with transaction(lock_seconds=LOCK_SECONDS) as session:
        recorder = _Recorder(session, rows)
        outcomes = [recorder.record(row) for row in rows]
        recorder.books.close()
    return outcomes


class _Recorder:
    def __init__(self, session: Session, rows: Sequence[RecordedRow]) -> None:
        self._items = repository.products.by_sku(session, {row["sku"] for row in rows})
        expire_of([item.id for item in self._items.values()])
        named = {code for row in rows for code in _ends(row)}
        self._locations = repository.locations.known(session, named)
        self.books = Books(session, self._items.values(), open_at=set(self._keys(rows)))
        # Asked for when the levels are locked: whoever records the same at once has done it then.
        self._known = self._imported(session, rows)

    def record(self, row: RecordedRow) -> Outcome:
        item = self._items.get(row["sku"])
        if item is None:
            return Outcome(Recorded.REJECTED, f"no product has the SKU {row['sku']}")
        if unknown := [code for code in _ends(row) if code not in self._locations]:
            return Outcome(Recorded.REJECTED, f"there is no location {unknown[0]}")
        if (known := self._known_already(item, row)) is not None:
            return known
        try:
            book(self.books, item, row)
        except InsufficientStock as error:
            return Outcome(Recorded.REJECTED, error.detail)
        return Outcome(Recorded.RECORDED)

    def _keys(self, rows: Sequence[RecordedRow]) -> Iterator[Key]:
        for row in rows:
            item = self._items.get(row["sku"])
            if item and self._locations.issuperset(_ends(row)):
                yield from changes_of(item.id, row)

    def _known_already(self, item: Item, row: RecordedRow) -> Outcome | None:
        """What becomes of a row that the ledger has, or one end of it; None if it has neither."""
        lines = _lines(item, row)
        known = {line: self._known[line] for line in lines if line in self._known}
        if not known:
            return None
        return Outcome(Recorded.KNOWN) if known == lines else _has_otherwise(row, known)

    def _imported(self, session: Session, rows: Sequence[RecordedRow]) -> Mapping["_Identity", int]:
        ids = [item.id for item in self._items.values()]
        references = {str(row["reference"]) for row in rows}
        return {
            ((it.product_id, it.location), str(it.reference), it.kind, it.ordinal or 0): it.change
            for it in repository.ledger.imported(session, ids, references)
        }


_Identity = tuple[Key, str, MovementKind, int]
"""What a line of the ledger is known by: its level, its reference, its kind and its ordinal."""


def _lines(item: Item, row: RecordedRow) -> dict[_Identity, int]:
    """The lines that the ledger has once the row is recorded, with their changes."""
    name = str(row["reference"]), row["kind"], row["ordinal"] or 0
    return {(key, *name): change for key, change in changes_of(item.id, row).items()}


def _has_otherwise(row: RecordedRow, known: Mapping[_Identity, int]) -> Outcome:
    lines = " and ".join(f"{change:+} at {key[1]}" for (key, *_), change in known.items())
    return Outcome(
        Recorded.REJECTED,
        f"the ledger has {row['reference']} with {lines}; what it says is for good: mend it by an "
        f"adjustment, or if the row is another, give it an ordinal that none has",
    )


def _ends(row: RecordedRow) -> list[str]:
    return [row.get("location", MAIN), *([row["to_location"]] if "to_location" in row else [])]

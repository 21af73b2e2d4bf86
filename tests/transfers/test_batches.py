"""How the rows of a file go through an import: some at a time, two steps at once."""

import io
from collections.abc import Sequence
from threading import Event
from typing import Any, NoReturn
from weakref import WeakSet

import pytest
from flask import Flask
from sqlalchemy import event

from stockroom.extensions import db
from stockroom.products.batch import Outcome, Result, upsert
from stockroom.products.schemas import ProductInputSchema
from stockroom.transfers.formats import PRODUCTS, Format, Row
from stockroom.transfers.imports import ROWS_AT_ONCE, import_file
from tests.factories.products import product_body
from tests.threads import PATIENCE_SECONDS
from tests.transfers.commands import HEADER

pytestmark = pytest.mark.usefixtures("app_context")


class Said:
    """What a row says."""


class Taker:
    """Takes every row, and looks at what is in memory meanwhile."""

    layout = PRODUCTS

    def __init__(self) -> None:
        self.alive = WeakSet[Said]()
        self.most_alive = self.taken = 0

    def placed(self, row: Row, /) -> Row:
        return row

    def check(self, _row: Row, /) -> Said:
        self.alive.add(said := Said())
        return said

    def take(self, rows: Sequence[Said]) -> list[Outcome]:
        self.taken += len(rows)
        self.most_alive = max(self.most_alive, len(self.alive))
        return [Outcome(Result.CREATED)] * len(rows)


def file_of(batches: int) -> io.BytesIO:
    rows = "".join(f"S{number},Mug,1\n" for number in range(batches * ROWS_AT_ONCE))
    return io.BytesIO(f"{HEADER}\n{rows}".encode())


def test_however_long_a_file_is_a_few_batches_of_it_are_in_memory() -> None:
    taker = Taker()
    import_file(file_of(16), Format.CSV, taker)
    assert taker.taken == 16 * ROWS_AT_ONCE
    # Three: told, written and checked. SlipCover, as it takes its probes out, may keep a frame.
    assert taker.most_alive <= 4 * ROWS_AT_ONCE


def test_the_next_rows_are_checked_while_some_are_written() -> None:
    class Patient(Taker):
        is_ahead = Event()

        def check(self, row: Row, /) -> Said:
            if row.line > ROWS_AT_ONCE + 1:
                self.is_ahead.set()
            return super().check(row)

        def take(self, rows: Sequence[Said]) -> list[Outcome]:
            assert self.is_ahead.wait(PATIENCE_SECONDS)
            return super().take(rows)

    assert import_file(file_of(2), Format.CSV, Patient()).counts.total() == 2 * ROWS_AT_ONCE


def test_nothing_is_written_after_a_batch_that_failed() -> None:
    class Broken(Taker):
        def take(self, rows: Sequence[Said]) -> NoReturn:
            super().take(rows)
            raise ZeroDivisionError

    taker = Broken()
    with pytest.raises(ZeroDivisionError):
        import_file(file_of(3), Format.CSV, taker)
    assert taker.taken == ROWS_AT_ONCE


def test_rows_take_as_many_statements_however_many_they_are(app: Flask) -> None:
    def statements(amount: int, name: str) -> int:
        seen: list[str] = []
        rows = [product_body(sku=f"S{amount}-{n}", name=name) for n in range(amount)]

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            outcomes = upsert([ProductInputSchema().load(row) for row in rows])
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        assert len({outcome.result for outcome in outcomes}) == 1
        return len(seen)

    few, many = (
        [statements(amount, name) for name in ("Mug", "Cup", "Cup")] for amount in (60, 120)
    )
    created, updated, unchanged = few
    assert unchanged < min(created, updated)
    assert few == many

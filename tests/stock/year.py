"""A real year of invoices, sent to Stockroom by clients at once."""

import asyncio
import csv
import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading, transaction
from stockroom.products.models import Product
from stockroom.transfers.product_rows import ProductRows
from tests.contract.wires import Wire

LINES = (
    Path(__file__).resolve().parents[3]
    / "shared/data/online-retail/invoice-lines-2010-12-to-2011-10.csv.gz"
)
ALL_LINES = 10**9
CLIENTS = 16


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    code: str
    quantity: int
    note: str
    occurred_at: str


@dataclass(slots=True)
class Document:
    """The lines of an invoice: what it sells is one order, other lines are movements each."""

    invoice: str
    sold: list[Line] = field(default_factory=list)
    others: list[Line] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.invoice.startswith("C")


@dataclass(slots=True)
class Replay:
    """What became of a year.

    :ivar accepted: as ``plain_year`` reads it; ``statuses``: how often each was the answer.
    """

    ids: Mapping[str, str]
    accepted: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    invoices: int = 0
    lines: int = 0


def documents(most_lines: int = ALL_LINES) -> list[Document]:
    """In the order in which the shop wrote them."""
    by_invoice: dict[str, Document] = {}
    for line, invoice in _lines(most_lines):
        document = by_invoice.setdefault(invoice, Document(invoice))
        (document.sold if line.quantity > 0 else document.others).append(line)
    return list(by_invoice.values())


def open_stock(app: Flask, year: list[Document], divisor: int) -> dict[str, str]:
    """Make a product of each stock code, with what the year sells of it divided by ``divisor``.

    Returns the ids of the products by stock code.
    """
    sold: dict[str, int] = defaultdict(int)
    for document in year:
        for line in (*document.sold, *document.others):
            sold[line.code] += max(0, line.quantity)
    rows: list[Any] = [
        {
            "sku": code,
            "name": code,
            "price": Decimal(1),
            "currency": "EUR",
            "stock": pieces // divisor,
        }
        for code, pieces in sold.items()
    ]
    with app.app_context(), transaction():
        outcomes = ProductRows("opening stock").take(rows)
    assert {outcome.result for outcome in outcomes} == {"created"}
    with app.app_context(), reading() as session:
        found = session.execute(select(Product.sku, Product.id)).all()
    return {sku: str(product_id) for sku, product_id in found}


def replay(port: int, token: str, year: list[Document], ids: Mapping[str, str]) -> Replay:
    """Send the year, by sixteen clients.

    :param ids: of the products, by stock code.
    """
    done, waiting = Replay(ids), iter(year)

    async def send_all() -> None:
        await asyncio.gather(*(_send(waiting, Wire(port, token), done) for _ in range(CLIENTS)))

    asyncio.run(send_all())
    return done


async def _send(waiting: Iterator[Document], wire: Wire, done: Replay) -> None:
    # Each client takes the next document that none has taken.
    for document in waiting:
        if document.sold:
            await _sell(wire, document, done)
        for line in document.others:
            await _move(wire, document, line, done)
        done.invoices += 1
        done.lines += len(document.sold) + len(document.others)
    wire.close()


async def _sell(wire: Wire, document: Document, done: Replay) -> None:
    lines = [{"sku": line.code, "quantity": line.quantity} for line in document.sold]
    body = {"lines": lines, "reference": document.invoice}
    answer = await wire.post("/reservations", body)
    done.statuses[answer.status] += 1
    if answer.status != 201:
        assert b"/problems/insufficient-stock" in answer.body, answer.body
        return
    committed = await wire.post(f"/reservations/{json.loads(answer.body)['id']}/commit")
    assert committed.status == 200, committed.body
    done.accepted.append(f"sale {document.invoice}")


async def _move(wire: Wire, document: Document, line: Line, done: Replay) -> None:
    body: dict[str, Any] = {"reference": document.invoice, "occurred_at": line.occurred_at}
    if document.is_cancellation:
        body |= {"kind": "returned", "quantity": -line.quantity}
    else:
        body |= {"kind": "adjusted", "quantity": line.quantity, "reason": line.note or "no note"}
    answer = await wire.post(f"/products/{done.ids[line.code]}/movements", body)
    done.statuses[answer.status] += 1
    if answer.status == 201:
        done.accepted.append(f"line {line.number}")
    else:
        assert b"/problems/insufficient-stock" in answer.body, answer.body


def plainly(folder: Path, accepted: list[str], divisor: int, most_lines: int) -> dict[str, Any]:
    """What the plain script makes of what was accepted."""
    file = folder / "accepted.txt"
    file.write_text("\n".join(accepted), encoding="utf-8")
    script = Path(__file__).with_name("plain_year.py")
    arguments = [str(LINES), str(most_lines), str(divisor), str(file)]
    done = subprocess.run(
        [sys.executable, "-I", str(script), *arguments], capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _lines(most: int) -> Iterator[tuple[Line, str]]:
    with gzip.open(LINES, "rt", encoding="utf-8", newline="") as file:
        for number, row in enumerate(islice(csv.DictReader(file), most), start=1):
            moment = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
            code = row["StockCode"].strip().lower()
            note = row["Description"].strip()
            yield (
                Line(number, code, int(row["Quantity"]), note, moment.isoformat()),
                row["InvoiceNo"],
            )

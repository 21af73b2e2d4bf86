"""Rows of a shop's history: each is a movement, known by its reference."""

from collections.abc import Sequence
from dataclasses import replace

from marshmallow import EXCLUDE, ValidationError

from stockroom.core.fields import Pieces, Text
from stockroom.stock.recording import Outcome, RecordedRow, record_rows
from stockroom.stock.schemas import NewMovementSchema
from stockroom.transfers.formats import MOVEMENTS, Row
from stockroom.transfers.imports import BadRow, load_row
from stockroom.transfers.seen import Document, SeenRows

_ONE_LETTER = str.maketrans({"\u03c2": "\u03c3", "\u0307": None})
"""What Python alone tells apart in lower case: the final sigma, and the dot that was on an İ."""


class _RowSchema(NewMovementSchema):
    sku = Text(64, required=True)
    reference = Text(200, required=True)
    ordinal = Pieces(minimum=1)


class MovementRows:
    """Takes rows of movements, in their order; one that the ledger has already is passed over."""

    layout = MOVEMENTS

    def __init__(self) -> None:
        self._schema = _RowSchema(unknown=EXCLUDE)
        self._seen = SeenRows()

    def placed(self, row: Row) -> Row:
        """The row with its ordinal, which is counted if the file does not give it."""
        # Rows that are refused count as well: mended, they must not move the ones behind them.
        document = self._document(row)
        if document is None or row.values.get("ordinal") not in (None, ""):
            return row
        return replace(row, values={**row.values, "ordinal": self._seen.count(document)})

    def check(self, row: Row) -> RecordedRow:
        fields: RecordedRow = load_row(self._schema, row)
        document = Document(str(fields["reference"]), _alike(fields["sku"]), fields["kind"])
        ordinal = fields["ordinal"] or 0
        if (line := self._seen.add(document, ordinal, row.line)) != row.line:
            raise BadRow(f"ordinal {ordinal} of {document.reference} stands in line {line} already")
        return fields

    def take(self, rows: Sequence[RecordedRow]) -> list[Outcome]:
        return record_rows(rows)

    def _document(self, row: Row) -> Document | None:
        """What the row is counted by; None if it cannot be read."""
        try:
            reference, sku, kind = (
                str(self._schema.fields[name].deserialize(row.values.get(name)))
                for name in ("reference", "sku", "kind")
            )
        except ValidationError:
            return None
        return Document(reference, _alike(sku), kind)


def _alike(sku: str) -> str:
    """The same for all that PostgreSQL takes for one SKU. Others may share it: ordinals then have
    gaps, and are the same each time.
    """
    return sku.lower().translate(_ONE_LETTER)

"""The file of rejected rows: each with its line and reason, ready to be mended and imported."""

from collections.abc import Mapping
from typing import IO, Any

from stockroom.transfers.formats import COLUMNS, PLACE_COLUMNS, Format, Row
from stockroom.transfers.writing import cell_text, csv_line, json_line


class RejectsFile:
    """Writes rejected rows in the format of the file that they come from."""

    def __init__(self, file: IO[bytes], kind: Format) -> None:
        self._file = file
        self._kind = kind
        if kind is Format.CSV:
            file.write(csv_line((*PLACE_COLUMNS, *COLUMNS)))

    def add(self, row: Row, reason: str) -> None:
        self._file.write(self._line(row, reason))

    def _line(self, row: Row, reason: str) -> bytes:
        if self._kind is Format.NDJSON:
            return json_line({"line": row.line, "reason": reason, **_without_place(row.values)})
        cells = (cell_text(row.values.get(name)) for name in COLUMNS)
        return csv_line((row.line, reason, *cells))


def _without_place(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in PLACE_COLUMNS}

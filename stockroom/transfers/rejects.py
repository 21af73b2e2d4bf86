"""The file of rejected rows: each with its line and reason, ready to be mended and imported."""

from typing import IO

from stockroom.transfers.formats import Format, Layout, Row
from stockroom.transfers.writing import cell_text, csv_line, json_line


class RejectsFile:
    """Writes rejected rows in the format of the file that they come from."""

    def __init__(self, file: IO[bytes], kind: Format, layout: Layout) -> None:
        self._file = file
        self._kind = kind
        self._layout = layout
        if kind is Format.CSV:
            file.write(csv_line((*layout.place, *layout.columns)))

    def add(self, row: Row, reason: str) -> None:
        self._file.write(self._line(row, reason))

    def _line(self, row: Row, reason: str) -> bytes:
        line, why = self._layout.place
        if self._kind is Format.NDJSON:
            values = {name: value for name, value in row.values.items() if name not in (line, why)}
            return json_line({line: row.line, why: reason, **values})
        cells = (cell_text(row.values.get(name)) for name in self._layout.columns)
        return csv_line((row.line, reason, *cells))

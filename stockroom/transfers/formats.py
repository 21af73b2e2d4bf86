"""Files of products: CSV and NDJSON, read row by row and written row by row."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import IO, Any

from stockroom.transfers.errors import UnreadableFile

NEEDED = ("sku", "name", "price")
COLUMNS = (
    "sku",
    "name",
    "description",
    "price",
    "currency",
    "family",
    "options",
    "attributes",
    "status",
)
JSON_COLUMNS = ("options", "attributes")
# An empty cell of these columns clears the field; of any other, it is as if it were not there.
_WHEN_EMPTY: Mapping[str, Any] = {
    "description": None,
    "family": None,
    "options": {},
    "attributes": {},
}


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


def check_encoding(file: IO[bytes]) -> None:
    """Read the whole file once, so that nothing is written of one that breaks half-way.

    :raises UnreadableFile: if it is empty or not UTF-8.
    """
    file.seek(0)
    line, is_blank = 0, True
    for line, text in enumerate(file, start=1):
        try:
            is_blank = not text.decode("utf-8-sig" if line == 1 else "utf-8").strip() and is_blank
        except UnicodeDecodeError:
            raise UnreadableFile(f"The file is not UTF-8: see line {line}.") from None
    if is_blank:
        raise UnreadableFile("The file is empty.")
    file.seek(0)


def read_rows(file: IO[bytes], kind: Format) -> Iterator[Row]:
    """The rows of a file that ``check_encoding`` has passed.

    :raises UnreadableFile: for a CSV file without its header line or a needed column.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from _read_csv(text) if kind is Format.CSV else _read_ndjson(text)
    finally:
        text.detach()


def _read_csv(text: IO[str]) -> Iterator[Row]:
    reader = csv.reader(text, strict=True)
    columns = _header(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, {}, f"not CSV: {error}")
            continue
        if any(cell.strip() for cell in cells):
            yield _csv_row(line, columns, cells)


def _header(reader: Iterator[list[str]]) -> list[str]:
    """The names of the columns, in lower case."""
    try:
        columns = [name.strip().lower() for name in next(reader)]
    except (StopIteration, csv.Error) as error:
        raise UnreadableFile(f"The header line cannot be read: {error}") from None
    missing = [name for name in NEEDED if name not in columns]
    if len(missing) == len(NEEDED):
        raise UnreadableFile(
            f"The file has no header line: its first line must name the columns "
            f"{', '.join(NEEDED)}, with commas between them."
        )
    if missing:
        raise UnreadableFile(f"The file lacks the column {' and '.join(missing)}.")
    if repeated := sorted({name for name in columns if columns.count(name) > 1}):
        raise UnreadableFile(f"The file has the column {' and '.join(repeated)} twice.")
    return columns


def _csv_row(line: int, columns: list[str], cells: list[str]) -> Row:
    cells_by_column = dict(zip(columns, cells, strict=False))
    if len(cells) != len(columns):
        flaw = f"{len(cells)} cells where the header has {len(columns)}"
        return Row(line, cells_by_column, flaw)
    values: dict[str, Any] = {}
    for name, cell in cells_by_column.items():
        if cell.strip():
            values[name] = cell
        elif name in _WHEN_EMPTY:
            values[name] = _WHEN_EMPTY[name]
    for name in JSON_COLUMNS:
        try:
            if isinstance(values.get(name), str):
                values[name] = json.loads(values[name])
        except (ValueError, RecursionError):
            return Row(line, cells_by_column, f"{name}: not JSON")
    return Row(line, values)


def _read_ndjson(text: IO[str]) -> Iterator[Row]:
    for line, content in enumerate(text, start=1):
        if not content.strip():
            continue
        try:
            values = json.loads(content)
        except (ValueError, RecursionError):
            yield Row(line, {}, "not JSON")
            continue
        if isinstance(values, dict):
            yield Row(line, values)
        else:
            yield Row(line, {}, "not a JSON object")


def write_rows(rows: Iterable[Mapping[str, Any]], kind: Format) -> Iterator[bytes]:
    """The lines of a file that holds these rows, for each value of ``COLUMNS``."""
    return _write_csv(rows) if kind is Format.CSV else _write_ndjson(rows)


def _write_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield csv_line(COLUMNS)
    for row in rows:
        yield csv_line([cell_text(row[name]) for name in COLUMNS])


def _write_ndjson(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield json_line({name: row[name] for name in COLUMNS})


def csv_line(cells: Iterable[Any]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def json_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def cell_text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
    return value or ""

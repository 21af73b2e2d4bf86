"""Reading files: the whole of one is checked first, then it is read row by row."""

import csv
import io
import json
import re
from collections.abc import Generator, Iterator, Sequence
from typing import IO, Any, NamedTuple

from stockroom.core.context import settings
from stockroom.core.json_values import parse
from stockroom.transfers.errors import UnreadableFile
from stockroom.transfers.formats import Format, Layout, Row

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def check_whole(file: IO[bytes], kind: Format) -> None:
    """Read the whole file beforehand: nothing is written of one that breaks half-way.

    :raises UnreadableFile: if it is empty or not UTF-8, or if it is CSV in which a quote is
        never closed or a cell is too long to be read.
    """
    _check_encoding(file)
    if kind is Format.CSV:
        text = _text(file)
        try:
            _check_quotes(text)
        finally:
            text.detach()
    file.seek(0)


def _check_encoding(file: IO[bytes]) -> None:
    file.seek(0)
    line, is_blank = 0, True
    for line, text in enumerate(file, start=1):
        try:
            is_blank = not text.decode("utf-8-sig" if line == 1 else "utf-8").strip() and is_blank
        except UnicodeDecodeError:
            raise UnreadableFile(f"The file is not UTF-8: see line {line}.") from None
    if is_blank:
        raise UnreadableFile("The file is empty.")


def _check_quotes(text: IO[str]) -> None:
    # Behind either flaw good rows are lost, or what stands inside of a cell is read as rows.
    for record in _records(text):
        if record.flaw.startswith("field larger"):
            raise UnreadableFile(
                f"A cell of the row that begins in line {record.line} is longer than "
                f"{csv.field_size_limit():,} characters; perhaps a quote is never closed."
            )
        if record.flaw.startswith("unexpected end"):
            raise UnreadableFile(
                f"A quote that opens in the row that begins in line {record.line} is never closed."
            )


def read_rows(file: IO[bytes], kind: Format, layout: Layout) -> Generator[Row]:
    """The rows of a file that ``check_whole`` has passed.

    :raises UnreadableFile: for a CSV file without its header line or a needed column.
    """
    text = _text(file)
    try:
        yield from _read_csv(text, layout) if kind is Format.CSV else _read_ndjson(text)
    finally:
        text.detach()


def _text(file: IO[bytes]) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")


def _read_csv(text: IO[str], layout: Layout) -> Iterator[Row]:
    records = _records(text)
    columns = _header(next(records, _Record(1, 1)), layout.needed)
    for record in records:
        if record.flaw:
            # A quote in the wrong place can draw good lines into the row: they are named.
            place = f", in lines {record.line} to {record.last_line}"
            where = place if record.last_line > record.line else ""
            yield Row(record.line, {}, f"not CSV: {record.flaw}{where}")
        elif any(cell.strip() for cell in record.cells):
            yield _csv_row(record.line, columns, record.cells, layout)


class _Record(NamedTuple):
    """The cells of some lines, or why they cannot be told apart."""

    line: int
    last_line: int
    cells: Sequence[str] = ()
    flaw: str = ""


def _records(text: IO[str]) -> Iterator[_Record]:
    reader = csv.reader(text, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(line, reader.line_num, flaw=str(error))
        else:
            yield _Record(line, reader.line_num, cells)


def _header(record: _Record, needed: Sequence[str]) -> list[str]:
    """The names of the columns, in lower case."""
    if record.flaw:
        raise UnreadableFile(f"The header line cannot be read: {record.flaw}")
    columns = [name.strip().lower() for name in record.cells]
    missing = [name for name in needed if name not in columns]
    if len(missing) == len(needed):
        raise UnreadableFile(
            f"The file has no header line: its first line must name the columns "
            f"{', '.join(needed)}, with commas between them."
        )
    if missing:
        raise UnreadableFile(f"The file lacks the column {' and '.join(missing)}.")
    # Spreadsheets like to end their lines with columns that have no name.
    if repeated := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise UnreadableFile(f"The file has the column {' and '.join(repeated)} twice.")
    return columns


def _csv_row(line: int, columns: Sequence[str], cells: Sequence[str], layout: Layout) -> Row:
    cells_by_column = dict(zip(columns, map(str.strip, cells), strict=False))
    if len(cells) != len(columns):
        flaw = f"{len(cells)} cells where the header has {len(columns)}"
        return Row(line, cells_by_column, flaw)
    values: dict[str, Any] = {}
    for name, cell in cells_by_column.items():
        if cell or name not in layout.columns:
            values[name] = _value(cell, is_number=name in layout.numbers)
        elif name in layout.when_empty:
            values[name] = layout.when_empty[name]
    for name in layout.json:
        try:
            if isinstance(values.get(name), str):
                # One level less than a whole product in JSON, of which this is a part.
                values[name] = parse(values[name], settings().max_json_depth - 1)
        except ValueError as error:
            return Row(line, cells_by_column, f"{name}: {_flaw(error)}")
    return Row(line, values)


def _value(cell: str, *, is_number: bool) -> str | int:
    # What is no number stays a text, which the schema then refuses.
    return int(cell) if is_number and _WHOLE_NUMBER.fullmatch(cell) else cell


def _read_ndjson(text: IO[str]) -> Iterator[Row]:
    for line, content in enumerate(text, start=1):
        if not content.strip():
            continue
        try:
            values = parse(content, settings().max_json_depth)
        except ValueError as error:
            yield Row(line, {}, _flaw(error))
            continue
        if isinstance(values, dict):
            yield Row(line, values)
        else:
            yield Row(line, {}, "not a JSON object")


def _flaw(error: ValueError) -> str:
    # Where the decoder stopped is a place within the cell or line, which only confuses.
    return "not JSON" if isinstance(error, json.JSONDecodeError) else str(error)

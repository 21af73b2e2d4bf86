"""Writing files, line by line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stockroom.transfers.formats import Format


def write_rows(
    rows: Iterable[Mapping[str, Any]], kind: Format, columns: Sequence[str]
) -> Iterator[bytes]:
    """The lines of a file that holds these columns of the rows."""
    if kind is Format.CSV:
        yield csv_line(columns)
    for row in rows:
        if kind is Format.CSV:
            yield csv_line([cell_text(row[name]) for name in columns])
        else:
            yield json_line({name: row[name] for name in columns})


def csv_line(cells: Iterable[Any]) -> bytes:
    line = io.StringIO(newline="")
    # Before Python 3.13, csv quotes a lone carriage return only if it is part of its line ends.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return _encoded(line.getvalue().removesuffix("\r\n") + "\n")


def json_line(value: Mapping[str, Any]) -> bytes:
    return _encoded(_json(value) + "\n")


def cell_text(value: Any) -> str:
    """A value as the text of a cell; what is null or an empty object leaves the cell empty."""
    if value is None or value == {}:
        return ""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encoded(text: str) -> bytes:
    # A rejected row can hold half of a surrogate pair, which is then written as JSON writes it.
    return text.encode("utf-8", "backslashreplace")

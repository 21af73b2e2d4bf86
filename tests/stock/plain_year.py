"""What a year of invoices leaves on hand, by a plain script that shares no code with Stockroom.

    python plain_year.py LINES.csv.gz MOST_LINES DIVISOR ACCEPTED.txt

There is of each stock code, regardless of case, what its sale lines sell in all, divided by
DIVISOR. ACCEPTED.txt names what was accepted: ``sale 536365`` is a whole invoice, ``line 142`` one
line of the file. Prints JSON: ``pieces`` by stock code in lower case, and how many ``lines`` were
accepted.
"""

import csv
import gzip
import json
import sys
from pathlib import Path


def main(path: str, most_lines: str, divisor: str, accepted_path: str) -> None:
    accepted = set(Path(accepted_path).read_text(encoding="utf-8").splitlines())
    sold: dict[str, int] = {}
    moved: dict[str, int] = {}
    lines = 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            if number > int(most_lines):
                break
            code, quantity = row["StockCode"].strip().lower(), int(row["Quantity"])
            sold[code] = sold.get(code, 0) + max(0, quantity)
            name = f"sale {row['InvoiceNo']}" if quantity > 0 else f"line {number}"
            if name in accepted:
                lines += 1
                # What is sold goes out, what is cancelled comes back; both with the other sign.
                is_write_off = quantity < 0 and not row["InvoiceNo"].startswith("C")
                moved[code] = moved.get(code, 0) + (quantity if is_write_off else -quantity)
    pieces = {code: sold[code] // int(divisor) + moved.get(code, 0) for code in sold}
    sys.stdout.write(json.dumps({"pieces": pieces, "lines": lines}))


main(*sys.argv[1:])

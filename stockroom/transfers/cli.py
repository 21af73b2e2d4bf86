"""``flask products import`` and ``export``, and ``flask stock import``: they join the commands on
products and on stock.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from click import option

from stockroom.products.batch import Result
from stockroom.products.cli import products_commands
from stockroom.stock.cli import stock_commands
from stockroom.stock.recording import Recorded, rehearsal
from stockroom.transfers.console import format_option, import_command, run_import
from stockroom.transfers.exports import export_products
from stockroom.transfers.files import written_whole
from stockroom.transfers.formats import Format, format_of
from stockroom.transfers.movement_rows import MovementRows
from stockroom.transfers.product_rows import ProductRows


@products_commands.command("import")
@import_command
def import_products(file: Path, *, dry_run: bool, **how: Any) -> None:
    """Create and update products by SKU from FILE, which is CSV or NDJSON; - is standard input.

    A CSV file names its columns in its first line. sku, name and price are needed; description,
    currency, family, options, attributes, status, stock and low_stock_threshold are known.
    stock is a count: the difference to what is on hand is booked.

    Example: flask products import catalogue.csv --rejects rejected.csv
    """
    taker = ProductRows(f"import of {file.name}"[:200], dry_run=dry_run)
    run_import(file, taker, Result, dry_run=dry_run, **how)


@stock_commands.command("import")
@import_command
def import_movements(file: Path, *, dry_run: bool, **how: Any) -> None:
    """Record the movements in FILE, such as a shop's history; - is standard input.

    A CSV file names its columns in its first line. sku, kind, quantity and reference are needed;
    occurred_at, ordinal, location, to_location and reason are known. A row is known by its
    reference, SKU and kind, and by its ordinal, which is counted if left out: a file that is
    imported again changes nothing.

    Example: flask stock import history.csv --rejects rejected.csv
    """
    # As one transaction: a row may sell what another has brought in, any number of rows before.
    with rehearsal() if dry_run else nullcontext():
        run_import(file, MovementRows(), Recorded, dry_run=dry_run, **how)


@products_commands.command("export")
@format_option
@option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Standard output if left out.",
)
def export_file(kind: str | None, output: Path | None) -> None:
    """Write the products that are not archived as a file that can be imported again.

    Example: flask products export -o catalogue.csv
    """
    chosen = Format(kind) if kind else format_of(output.name if output else "")
    with written_whole(output) if output else nullcontext(sys.stdout.buffer) as file:
        for line in export_products(chosen):
            file.write(line)

"""``flask stock``: what is there, and why, from a terminal."""

import json
from collections.abc import Sequence
from itertools import accumulate
from uuid import UUID

import click
from click import Choice, argument, option

from stockroom.core.console import CommandGroup, json_option, load, print_table
from stockroom.core.pagination import every_item
from stockroom.products import service as products
from stockroom.stock import proof, service
from stockroom.stock.models import Movement, MovementKind
from stockroom.stock.schemas import MovementSchema, NewMovementSchema

SHOWN_MOVEMENTS = 20
_BARS = "▁▂▃▄▅▆▇█"

stock_commands = CommandGroup("stock", help="What is there, and why.")


@stock_commands.command()
@argument("sku")
@option("--last", type=click.IntRange(1, 1000), default=SHOWN_MOVEMENTS, help="How many movements.")
@json_option
def show(sku: str, last: int, *, as_json: bool) -> None:
    """Show the stock of a product, and its last movements with the balance after each.

    Example: flask stock show MUG-BLUE
    """
    product = products.get_by_sku(sku)
    movements = service.newest_movements(product.id, last)
    if as_json:
        click.echo(json.dumps(MovementSchema(many=True).dump(movements), indent=2))
        return
    _show_levels(product.id)
    if not movements:
        click.echo("\nNothing was ever moved.")
        return
    click.echo(f"\n{sparkline(_totals(product.id, movements))}\n")
    _show_movements(movements)


@stock_commands.command()
@argument("sku")
@argument("kind", type=Choice([kind.value for kind in MovementKind]))
@argument("quantity", type=int)
@option("--location", help="main if left out; where a transfer begins.")
@option("--to", "to_location", help="Where a transfer ends.")
@option("--reason", help="Needed for an adjustment.")
@option("--reference", help="An order or a document of yours.")
@json_option
def move(sku: str, kind: str, quantity: int, *, as_json: bool, **facts: str | None) -> None:
    """Book a movement. Of an adjustment, QUANTITY is signed: write -- before it.

    Example: flask stock move MUG-BLUE adjusted --reason damaged -- -2
    """
    new = load(NewMovementSchema(), kind=kind, quantity=quantity, **facts)
    product = products.get_by_sku(sku)
    movement = service.move(product.id, new)
    if as_json:
        click.echo(json.dumps(MovementSchema().dump(movement), indent=2))
        return
    click.echo(f"{movement.change:+,} at {movement.location}: {movement.balance:,} on hand")


@stock_commands.command()
@json_option
def low(*, as_json: bool) -> None:
    """List products of which few pieces are left: as many as their threshold, or fewer.

    Example: flask stock low
    """
    rows = (
        (it.product.sku, it.product.name, it.product.available, it.threshold)
        for it in every_item(service.list_low)
    )
    print_table(("sku", "name", "available", "threshold"), rows, as_json=as_json)


@stock_commands.command()
@option("--repair", is_flag=True, help="Write the differences into the ledger, as adjustments.")
@json_option
def verify(*, repair: bool, as_json: bool) -> None:
    """Add up ledger and reservations anew, and list every counter that differs.

    Exit status 1 if one does, and is not repaired.

    Example: flask stock verify
    """
    differences = proof.repair() if repair else proof.verify()
    left = proof.verify() if repair else differences
    if differences or as_json:
        print_table(proof.Difference._fields, differences, as_json=as_json)
    if left:
        raise click.ClickException(f"{len(left)} levels differ from ledger or reservations.")
    if not as_json:
        mended = f" {len(differences)} were repaired." if differences else ""
        click.echo(f"Every counter is what ledger and reservations say.{mended}")


@stock_commands.command()
@argument("sku", required=False)
@json_option
def replay(sku: str | None, *, as_json: bool) -> None:
    """Go through the ledger line by line, and list balances that do not follow from it.

    Exit status 1 if there are any. What a repair has mended stays visible here.

    Example: flask stock replay MUG-BLUE
    """
    breaks = proof.replay(sku)
    if breaks or as_json:
        print_table(proof.Break._fields, breaks, as_json=as_json)
    if breaks:
        raise click.ClickException(f"{len(breaks)} balances do not follow from the ledger.")
    if not as_json:
        click.echo("Every balance follows from the movements before it.")


def sparkline(values: Sequence[int]) -> str:
    """The values as bars, from the lowest to the highest of them."""
    lowest, span = min(values), max(values) - min(values)
    highest = len(_BARS) - 1
    return "".join(_BARS[(value - lowest) * highest // span if span else 0] for value in values)


def _totals(product_id: UUID, movements: Sequence[Movement]) -> list[int]:
    """What was on hand after each movement, at all locations together."""
    after_last = service.stock_of(product_id, to_staff=True)["total"].on_hand
    before_first = after_last - sum(movement.change for movement in movements)
    return list(accumulate((it.change for it in movements), initial=before_first))


def _show_levels(product_id: UUID) -> None:
    stock = service.stock_of(product_id, to_staff=True)
    levels = [*stock["locations"].items(), ("in all", stock["total"])]
    rows = [(name, it.on_hand, it.reserved, it.available) for name, it in levels]
    print_table(("location", "on hand", "reserved", "available"), rows, as_json=False)


def _show_movements(movements: Sequence[Movement]) -> None:
    rows = [
        (
            f"{it.occurred_at:%Y-%m-%d %H:%M}",
            it.kind.value,
            f"{it.change:+}",
            it.balance,
            it.location,
            it.reference,
            it.reason,
        )
        for it in movements
    ]
    columns = ("occurred", "kind", "change", "balance", "location", "reference", "reason")
    print_table(columns, rows, as_json=False)

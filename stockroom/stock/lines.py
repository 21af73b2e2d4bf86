"""What an order asks for, line by line, and whether there is such a thing."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.errors import InvalidInput
from stockroom.stock import repository
from stockroom.stock.values import Item


class Line(TypedDict, total=False):
    """What is asked for: ``sku`` or ``product_id``, and ``quantity``; anywhere, if no location."""

    sku: str
    product_id: UUID
    quantity: int
    location: str


def items_of(session: Session, lines: Sequence[Line], *, to_staff: bool) -> Mapping[int, Item]:
    """The product of each line, by the line's number.

    :raises InvalidInput: naming the lines whose product there is not.
    """
    skus = {line["sku"] for line in lines if "sku" in line}
    ids = {line["product_id"] for line in lines if "product_id" in line}
    by_sku = repository.products.by_sku(session, skus)
    by_id = {item.id: item for item in repository.products.find(session, ids)}
    items, errors = dict[int, Item](), dict[str, Any]()
    for number, line in enumerate(lines):
        name = "sku" if "sku" in line else "product_id"
        item = by_sku.get(line["sku"]) if "sku" in line else by_id.get(line["product_id"])
        if item and (item.is_public or (to_staff and not item.is_archived)):
            items[number] = item
        else:
            errors[f"lines.{number}.{name}"] = ["No such product."]
    if errors:
        raise InvalidInput(errors)
    return items


def require_locations(session: Session, lines: Sequence[Line]) -> None:
    """:raises InvalidInput: naming the lines whose location there is not."""
    named = {number: it["location"] for number, it in enumerate(lines) if "location" in it}
    if not named:
        return
    unknown = set(named.values()) - repository.locations.known(session, set(named.values()))
    if unknown:
        raise InvalidInput(
            {
                f"lines.{number}.location": ["No such location."]
                for number, location in named.items()
                if location in unknown
            }
        )

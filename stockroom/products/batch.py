"""Creating and updating many products at once, by their SKU."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core import cache
from stockroom.core.database import new_id
from stockroom.core.errors import InvalidInput, in_one_line
from stockroom.core.transaction import transaction
from stockroom.products import staging
from stockroom.products.events import Before, Facts, record_changed, record_created
from stockroom.products.models import ProductStatus
from stockroom.products.money import check_price
from stockroom.products.service import ProductFields, defaults
from stockroom.products.staging import Match


class Result(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; a rejected one has a reason."""

    result: Result
    reason: str = ""


def upsert(rows: Sequence[ProductFields], *, dry_run: bool = False) -> list[Outcome]:
    """Create or update products by SKU, in one transaction; returns an outcome for each row.

    A field that a row does not name stays as it is, or takes its default on a new product.
    Only rows that change something are written. A SKU that differs only in case from that of
    another product is rejected, as is a price with too many decimals. Rows whose SKU somebody
    else creates at the same moment are brought in by a second transaction.

    :param rows: each with ``sku``, ``name`` and ``price``; no SKU twice.
    :param dry_run: tell the outcomes and keep nothing.
    """
    outcomes = _upsert(rows, dry_run=dry_run)
    if forestalled := [row for row in rows if row["sku"] not in outcomes]:
        outcomes |= _upsert(forestalled, dry_run=dry_run)
    return [outcomes.get(row["sku"]) or _clash(row["sku"]) for row in rows]


def _upsert(rows: Sequence[ProductFields], *, dry_run: bool) -> dict[str, Outcome]:
    """Outcomes by SKU; of a row that finds no product, and still its SKU taken, there is none."""
    by_id = {new_id(): row for row in rows}
    whole = _with_defaults(by_id)
    with transaction(dry_run=dry_run) as session, staging.stage(session, whole, by_id):
        outcomes = _update(session, by_id)
        new = {row_id: row for row_id, row in whole.items() if row_id not in outcomes}
        outcomes |= _create(session, new)
        cache.changed(session)
    return {by_id[row_id]["sku"]: outcome for row_id, outcome in outcomes.items()}


def _with_defaults(rows: Mapping[UUID, ProductFields]) -> dict[UUID, ProductFields]:
    default = defaults()
    return {row_id: {**default, **row} for row_id, row in rows.items()}


def _update(session: Session, rows: Mapping[UUID, ProductFields]) -> dict[UUID, Outcome]:
    """Outcomes of the rows that find a product.

    Products that a row differs from are locked; the others are not touched at all.
    """
    found = staging.matches(session)
    outcomes = {it.row_id: Outcome(Result.UNCHANGED) for it in found if not it.changed}
    changing = [it.id for it in found if it.changed]
    valid: list[Match] = []
    for match in staging.lock_matches(session, changing) if changing else ():
        flaw = _flaw(match, rows[match.row_id])
        outcomes[match.row_id] = flaw or Outcome(
            Result.UPDATED if match.changed else Result.UNCHANGED
        )
        if match.changed and not flaw:
            valid.append(match)
    if valid:
        staging.update_products(session, [match.id for match in valid])
    for match in valid:
        after = _facts(match.id, {**match._asdict(), **rows[match.row_id]})
        record_changed(session, after, match.changed, Before(match.sku, match.status))
    return outcomes


def _flaw(match: Match, row: ProductFields) -> Outcome | None:
    """Why the row cannot change the product, if it cannot."""
    if match.sku != row["sku"]:
        return _clash(row["sku"], match.sku)
    return _price_flaw({"currency": match.currency, **row})


def _create(session: Session, rows: Mapping[UUID, ProductFields]) -> dict[UUID, Outcome]:
    """Outcomes of whole rows that find no product."""
    outcomes = {row_id: flaw for row_id, row in rows.items() if (flaw := _price_flaw(row))}
    # There is nothing to archive; a product made for it would be made at every import.
    outcomes |= {
        row_id: Outcome(Result.UNCHANGED)
        for row_id, row in rows.items()
        if row["status"] is ProductStatus.ARCHIVED and row_id not in outcomes
    }
    valid = rows.keys() - outcomes.keys()
    created = staging.insert_products(session, valid) if valid else set()
    for row_id, row in rows.items():
        if row_id in created:
            record_created(session, _facts(row_id, row))
    return outcomes | dict.fromkeys(created, Outcome(Result.CREATED))


def _facts(product_id: UUID, values: Mapping[str, Any]) -> Facts:
    """A product as its events tell of it."""
    told = {name: values[name] for name in ("sku", "name", "price", "currency", "status")}
    return Facts(id=product_id, version=values.get("version", 1), **told)


def _price_flaw(row: ProductFields) -> Outcome | None:
    try:
        check_price(row["price"], row["currency"])
    except InvalidInput as error:
        return Outcome(Result.REJECTED, in_one_line(error.extensions["errors"]))
    return None


def _clash(sku: str, other: str = "") -> Outcome:
    what = f"SKU {sku} differs only in case from {other or 'that of another product'}"
    return Outcome(Result.REJECTED, what)

"""Creating and updating many products at once, by their SKU."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from stockroom.core import cache
from stockroom.core.database import new_id
from stockroom.core.errors import InvalidInput, in_one_line
from stockroom.core.transaction import transaction
from stockroom.products import repository
from stockroom.products.events import record_created
from stockroom.products.models import Product, ProductStatus
from stockroom.products.service import ProductFields, apply, differing, with_defaults


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

    :param rows: each with ``sku``, ``name`` and ``price``; SKUs distinct regardless of case.
    :param dry_run: tell the outcomes and keep nothing.
    """
    outcomes = _upsert(rows, dry_run=dry_run)
    if forestalled := [row for row in rows if row["sku"] not in outcomes]:
        outcomes |= _upsert(forestalled, dry_run=dry_run)
    return [outcomes.get(row["sku"]) or _clash(row["sku"]) for row in rows]


def _upsert(rows: Sequence[ProductFields], *, dry_run: bool) -> dict[str, Outcome]:
    """Outcomes by SKU; of a row that finds no product, and still its SKU taken, there is none."""
    with transaction(dry_run=dry_run) as session:
        existing = _existing(session, rows)
        outcomes = {
            row["sku"]: _update(session, existing[row["sku"].lower()], row)
            for row in rows
            if row["sku"].lower() in existing
        }
        outcomes |= _create(session, [row for row in rows if row["sku"] not in outcomes])
        cache.changed(session)
    return outcomes


def _existing(session: Session, rows: Sequence[ProductFields]) -> dict[str, Product]:
    """The products of these rows by SKU in lower case.

    Those that a row differs from are locked; the others are not touched at all.
    """
    found = repository.find_by_skus(session, [row["sku"] for row in rows])
    by_sku = {product.sku.lower(): product for product in found}
    pairs = [(by_sku.get(row["sku"].lower()), row) for row in rows]
    changing = [product.id for product, row in pairs if product and differing(product, row)]
    if changing:
        repository.lock_all(session, changing)
    # Whoever held a lock before may have archived the product, or given it another SKU.
    still = [product for product in found if product.status is not ProductStatus.ARCHIVED]
    return {product.sku.lower(): product for product in still}


def _update(session: Session, product: Product, row: ProductFields) -> Outcome:
    if product.sku != row["sku"]:
        return _clash(row["sku"], product.sku)
    try:
        return Outcome(Result.UPDATED if apply(session, product, row) else Result.UNCHANGED)
    except InvalidInput as error:
        return _invalid(error)


def _create(session: Session, rows: Sequence[ProductFields]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    valid: list[dict[str, Any]] = []
    for row in rows:
        try:
            whole = with_defaults(row)
        except InvalidInput as error:
            outcomes[row["sku"]] = _invalid(error)
            continue
        if whole["status"] is ProductStatus.ARCHIVED:
            # There is nothing to archive; a product made for it would be made at every import.
            outcomes[row["sku"]] = Outcome(Result.UNCHANGED)
        else:
            valid.append({"id": new_id(), **whole})
    created = repository.insert_unless_taken(session, valid) if valid else set()
    for new in valid:
        if new["sku"] in created:
            record_created(session, Product(**new))
    return outcomes | {sku: Outcome(Result.CREATED) for sku in created}


def _clash(sku: str, other: str = "") -> Outcome:
    what = f"SKU {sku} differs only in case from {other or 'that of another product'}"
    return Outcome(Result.REJECTED, what)


def _invalid(error: InvalidInput) -> Outcome:
    return Outcome(Result.REJECTED, in_one_line(error.extensions["errors"]))

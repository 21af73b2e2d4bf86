"""What the catalogue asks of the stock, which a feature above tells with ``bind_stocking``."""

from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from stockroom.core.context import belongings
from stockroom.products.models import Product

_KEY = "stockroom.stocking"


class Stocking(Protocol):
    """The stock, as far as the catalogue knows it."""

    def available(self, product: Any = Product) -> ColumnElement[int]:
        """Pieces on hand and promised to nobody, of the product that a statement is about.

        :param product: ``Product``, or an alias under which the statement has it.
        """

    def open(self, session: Session, product: Product, quantity: int) -> None:
        """Book the first pieces of a new product, in the transaction that creates it."""


def bind_stocking(extensions: dict[str, object], stocking: Stocking) -> None:
    extensions[_KEY] = stocking


def stocking() -> Stocking:
    """The one of the application that is running this code."""
    bound: Stocking = belongings()[_KEY]
    return bound

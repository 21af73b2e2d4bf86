"""Every query on stock, and its set-based writes, by what they are about."""

from stockroom.stock.repository import ledger, levels, locations, products, reservations

__all__ = ["ledger", "levels", "locations", "products", "reservations"]

"""Prices: exact decimals in a currency of ISO 4217, with no more decimals than it has."""

from decimal import Decimal

from stockroom.core.errors import InvalidInput
from stockroom.currencies import DECIMALS

WHOLE_DIGITS = 11


def check_price(price: Decimal, currency: str) -> None:
    """:raises InvalidInput: if the price has more decimals than the currency."""
    decimals = DECIMALS[currency]
    if price != price.quantize(Decimal(1).scaleb(-decimals)):
        some = f"{decimals} decimals" if decimals else "no decimals"
        raise InvalidInput({"price": [f"{currency} has {some}; prices are never rounded."]})


def format_price(price: Decimal, currency: str) -> str:
    """``Decimal("12.5"), "EUR"`` → ``"12.50"``."""
    return f"{price:.{DECIMALS[currency]}f}"

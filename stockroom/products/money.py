"""Prices: exact decimals in a currency of ISO 4217, with no more decimals than it has."""

from decimal import Decimal

from iso4217 import Currency

from stockroom.core.errors import InvalidInput

MOST_DECIMALS = 3
WHOLE_DIGITS = 11

# Left out: what has no decimals defined (gold, test codes) and the two accounting units with
# four, which the column cannot hold.
_DECIMALS = {
    str(currency.code): currency.exponent
    for currency in Currency
    if currency.exponent is not None and currency.exponent <= MOST_DECIMALS
}
CURRENCIES = tuple(sorted(_DECIMALS))


def check_price(price: Decimal, currency: str) -> None:
    """:raises InvalidInput: if the price has more decimals than the currency."""
    decimals = _DECIMALS[currency]
    if price != price.quantize(Decimal(1).scaleb(-decimals)):
        some = f"{decimals} decimals" if decimals else "no decimals"
        raise InvalidInput({"price": [f"{currency} has {some}; prices are never rounded."]})


def format_price(price: Decimal, currency: str) -> str:
    """``Decimal("12.5"), "EUR"`` → ``"12.50"``."""
    return f"{price:.{_DECIMALS[currency]}f}"

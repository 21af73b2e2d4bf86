"""The currencies of ISO 4217 that a price can be in."""

from iso4217 import Currency

MOST_DECIMALS = 3

# Left out: what has no decimals defined (gold, test codes) and the two accounting units with
# four, which the column cannot hold.
DECIMALS = {
    str(currency.code): currency.exponent
    for currency in Currency
    if currency.exponent is not None and currency.exponent <= MOST_DECIMALS
}
CURRENCIES = tuple(sorted(DECIMALS))

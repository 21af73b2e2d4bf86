"""Email addresses in the one form in which they are stored and looked up."""

from functools import lru_cache

from email_validator import validate_email

LONGEST_ADDRESS = 254
"""Characters of one that can be delivered (RFC 5321, 4.5.3.1.3)."""


# A login asks several times, and each time costs as much as a query.
@lru_cache(maxsize=64)
def normal_address(text: str) -> str:
    """The address in lower case, its domain in Unicode; the domain is not looked up.

    :raises ValueError: saying why it is not an address that mail could be sent to.
    """
    address = text.strip()
    # The library normalises first, which takes a minute for a million combining marks.
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(f"Longer than {LONGEST_ADDRESS} characters.")
    return validate_email(address, check_deliverability=False).normalized.lower()


def likely_address(text: str) -> str:
    """The form in which an address would be stored, for a look-up that may find nothing."""
    try:
        return normal_address(text)
    except ValueError:
        return text.lower()

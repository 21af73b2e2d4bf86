"""Email addresses in the one form in which they are stored and looked up."""

from functools import lru_cache

from email_validator import EmailNotValidError, validate_email


# A login asks several times, and each time costs as much as a query.
@lru_cache(maxsize=64)
def normal_address(text: str) -> str:
    """The address in lower case, its domain in Unicode; the domain is not looked up.

    :raises ValueError: saying why it is not an address that mail could be sent to.
    """
    return validate_email(text.strip(), check_deliverability=False).normalized.lower()


def likely_address(text: str) -> str:
    """The form in which an address would be stored, for a look-up that may find nothing."""
    try:
        return normal_address(text)
    except EmailNotValidError:
        return text.lower()

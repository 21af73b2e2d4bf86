"""A mail as it goes over the wire (RFC 5322)."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from email_validator import validate_email

from stockroom.mail.rendering import Letter


def compose(
    mail_id: UUID, sender: str, recipient: str, written_at: datetime, letter: Letter
) -> EmailMessage:
    """:raises ValueError: if it cannot be a mail, as with an address that is none."""
    name, address = parseaddr(sender)
    us = Address(addr_spec=address)
    # As the DNS has it, which every server takes.
    domain = us.domain.encode("idna").decode("ascii")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, us.username, domain)
    message["To"] = _addressee(recipient)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(written_at)
    # The same at each attempt: a receiver that gets it twice can tell.
    message["Message-ID"] = f"<{mail_id}@{domain}>"
    # Whoever is on holiday does not answer it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _addressee(address: str) -> Address:
    """With the domain as the DNS has it; what stands before it may be of any script (RFC 6531).

    :raises ValueError: if it is not an address.
    """
    checked = validate_email(address, check_deliverability=False)
    return Address("", checked.local_part, checked.ascii_domain)

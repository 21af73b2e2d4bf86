"""A mail as it goes over the wire (RFC 5322)."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from email_validator import validate_email

from stockroom.mail.errors import MailRefused
from stockroom.mail.rendering import Letter


def compose(
    mail_id: UUID, sender: str, recipient: str, written_at: datetime, letter: Letter
) -> EmailMessage:
    """:raises MailRefused: if it cannot be a mail, as with an address that is none."""
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=_in_ascii(recipient))
        message["Subject"] = letter.subject
    except ValueError as error:
        raise MailRefused(f"It cannot be written: {error}") from None
    message["Date"] = format_datetime(written_at)
    # The same at each attempt: a receiver that gets it twice can tell.
    message["Message-ID"] = f"<{mail_id}@{address.rpartition('@')[2]}>"
    # Whoever is on holiday does not answer it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _in_ascii(address: str) -> str:
    """With the domain as the DNS has it, which every server takes.

    :raises ValueError: if it is not an address.
    """
    checked = validate_email(address, check_deliverability=False)
    return checked.ascii_email or checked.normalized

"""Tokens that are mailed: made, and written into the mail."""

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from stockroom.core.context import client_address, settings
from stockroom.core.database import now
from stockroom.mail.service import send, was_written_often
from stockroom.users.models import User
from stockroom.verification import repository
from stockroom.verification.models import Purpose

LIFETIMES = {
    # Whoever registers on a Friday reads it on Monday.
    Purpose.VERIFY: timedelta(days=3),
    # It lets somebody in: no longer than it takes to open the mail.
    Purpose.RESET: timedelta(hours=1),
    Purpose.CHANGE: timedelta(days=1),
}
MAILS_AN_HOUR = 5
"""How many mails of one kind an address gets; more are not written, and nobody is told."""
_BYTES = 32


def mail_token(
    session: Session, user: User, purpose: Purpose, new_address: str | None = None
) -> None:
    """Make a token, which replaces the one before, and mail it; unless too many were mailed.

    :param new_address: the address that is to be the account's; the mail goes there.
    """
    moment, token = now(), secrets.token_urlsafe(_BYTES)
    to, template = new_address or user.email, f"verification/{purpose.value}"
    if was_written_often(session, to, template, MAILS_AN_HOUR):
        return
    repository.put(
        session,
        user_id=user.id,
        purpose=purpose,
        digest=digest_of(token),
        address=user.email,
        new_address=new_address,
        created_at=moment,
        expires_at=moment + LIFETIMES[purpose],
    )
    params = {"token": token, "link": _link(purpose, token), "asked_from": _place()}
    send(session, to, template, params, user_id=user.id)


def tell(session: Session, user: User, news: str, *, former: str | None = None) -> None:
    """Send a mail without a token, unless too many of its kind were written.

    :param former: the address that was the account's until now; the mail goes there.
    """
    to, template = former or user.email, f"verification/{news}"
    if not was_written_often(session, to, template, MAILS_AN_HOUR):
        send(session, to, template, {"asked_from": _place()}, user_id=user.id)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _link(purpose: Purpose, token: str) -> str:
    """To the page of the front end that takes tokens, if there is one.

    What stands behind # is not sent to any server: scanners that follow links use nothing up, and
    no log holds it.
    """
    page = settings().account_url
    return f"{page}#{urlencode({'purpose': purpose.value, 'token': token})}" if page else ""


def _place() -> str:
    return client_address.get() or "unknown"

"""Letting clients in: tickets for browsers, and where in the news a client begins."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from stockroom.api_keys import lookup as keys
from stockroom.auth import sessions
from stockroom.core.database import now
from stockroom.core.permissions import Caller
from stockroom.core.transaction import reading, transaction
from stockroom.outbox import repository as events
from stockroom.outbox.service import require_known
from stockroom.stream import repository
from stockroom.stream.models import StreamTicket

TICKET_SECONDS = 30
_TICKET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Ticket:
    ticket: str
    expires_at: datetime


def issue_ticket(caller: Caller) -> Ticket:
    """A ticket that lets the caller's session follow events, once and soon.

    :raises SessionEnded: if the session was removed meanwhile.
    """
    ticket = Ticket(secrets.token_urlsafe(_TICKET_BYTES), now() + timedelta(seconds=TICKET_SECONDS))
    with transaction() as session:
        session.add(
            StreamTicket(
                digest=_digest(ticket.ticket),
                user_id=caller.user_id,
                session_id=caller.session_id,
                expires_at=ticket.expires_at,
            )
        )
    return ticket


def redeem_ticket(ticket: str) -> Caller | None:
    """Use up a ticket; None if it is none (any more), or its session is over."""
    with transaction() as session:
        holder = repository.take(session, _digest(ticket), now())
    return sessions.caller_of(holder.session_id, holder.user_id).answer() if holder else None


def find_again(caller: Caller) -> Caller | None:
    """The same caller as the database has it now; None if session or API key is not good now."""
    return keys.find_again(caller.key_id) if caller.key_id else sessions.find_again(caller)


def remove_expired_tickets() -> int:
    with transaction() as session:
        return repository.remove_expired(session, now())


def first_position(after: int | None) -> int:
    """The position after which a client begins: the newest one if it names none.

    :raises EventsExpired: if nobody can go on from it.
    """
    with reading() as session:
        newest = events.newest_position(session)
        if after is None:
            return newest
        require_known(session, after, newest)
        return after


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()

"""Sending mails that are due, one at a time.

The row is locked while its mail is handed to the server, and marked in the same transaction: no
other worker sends it too, one that is killed gives it back, and what is marked as sent is not sent
again. Killed between the server's yes and the commit, a mail is sent a second time, with the same
Message-ID.
"""

import random
from datetime import datetime, timedelta
from time import monotonic

import structlog
from jinja2 import TemplateError

from stockroom.core.background.wakeups import wake
from stockroom.core.context import settings
from stockroom.core.database import now
from stockroom.core.encryption import Undecipherable, decrypt
from stockroom.core.transaction import transaction
from stockroom.mail import repository
from stockroom.mail.errors import MailDeferred, MailNotSent, MailRefused, ServerAway
from stockroom.mail.message import compose
from stockroom.mail.models import LONGEST_ERROR, Mail, MailState
from stockroom.mail.rendering import parameters, render
from stockroom.mail.service import SEND_JOB, send
from stockroom.mail.transport import Transport, transport_of

log = structlog.get_logger(__name__)

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=3)
MAILS_AT_ONCE = 50
"""In one run, and so over one connection: servers close those that bring too many."""
RUN_SECONDS = 10
"""After so long a run begins no other mail: a process that stops has to cut none off."""


def send_due() -> None:
    """Send what is due, until nothing is, or the server is away; another run does the rest."""
    deadline = monotonic() + RUN_SECONDS
    with transport_of(settings()) as transport:
        for _ in range(MAILS_AT_ONCE):
            if monotonic() > deadline or not _send_next(transport):
                return
    with transaction() as session:
        wake(session, SEND_JOB)


def send_test(address: str) -> Mail:
    """Send a mail that says that mails arrive; tried at once, it tells what has become of it."""
    with transaction() as session:
        mail_id = send(session, address, "mail/test", {}, user_id=None)
    with transport_of(settings()) as transport, transaction() as session:
        mail = repository.lock(session, mail_id)
        # Whoever runs the jobs may have been faster.
        if mail.state is MailState.PENDING:
            _attempt(mail, transport)
    return mail


def remove_old() -> None:
    """Remove mails past ``EVENT_DAYS`` that are done with."""
    before = now() - timedelta(days=settings().event_days)
    removed = most = 1000
    while removed == most:
        with transaction() as session:
            removed = repository.remove(session, before, most)


def _send_next(transport: Transport) -> bool:
    """Whether it makes sense to go on with the next one."""
    with transaction() as session:
        mail = repository.lock_next_due(session, now())
        return mail is not None and _attempt(mail, transport)


def _attempt(mail: Mail, transport: Transport) -> bool:
    """Send it, and note what came of it; returns whether the server may take others."""
    mail.attempts += 1
    try:
        _hand_over(mail, transport)
    except MailNotSent as reason:
        _note_failure(mail, reason)
        return not isinstance(reason, ServerAway)
    mail.state, mail.sent_at = MailState.SENT, now()
    mail.params = mail.error = None
    return True


def _hand_over(mail: Mail, transport: Transport) -> None:
    try:
        params = parameters(decrypt(mail.params or ""))
        letter = render(mail.template, {"base_url": settings().base_url, **params})
        sender = settings().mail_from
        message = compose(mail.id, sender, mail.address, mail.created_at, letter)
    except TemplateError as error:
        # A newer version may have written it, and will send it.
        raise MailDeferred(f"It cannot be written: {error}") from error
    except (Undecipherable, ValueError) as error:
        raise MailRefused(f"It cannot be written: {error}") from error
    transport.send(message)


def _note_failure(mail: Mail, reason: MailNotSent) -> None:
    mail.error = _plain(str(reason))[:LONGEST_ERROR]
    due_at = _next_try(mail)
    if isinstance(reason, MailRefused) or due_at > mail.created_at + GIVEN_UP_AFTER:
        mail.state, mail.params = MailState.FAILED, None
        log.error("mail given up", mail=str(mail.id), to=mail.address, reason=mail.error)
    else:
        mail.due_at = due_at
        log.warning("mail waits", mail=str(mail.id), attempts=mail.attempts, reason=mail.error)


def _plain(words: str) -> str:
    """In one line, without what would steer a terminal, or cannot be stored."""
    shown = (letter if letter.isprintable() else " " for letter in words)
    return " ".join("".join(shown).split())


def _next_try(mail: Mail) -> datetime:
    # From the tenth on, each wait is the longest anyway.
    wait: timedelta = min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    return now() + wait * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

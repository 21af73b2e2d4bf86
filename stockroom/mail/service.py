"""Mails: written with the change that they tell of, and sent once it is committed."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.core.background.wakeups import wake
from stockroom.core.database import new_id, now
from stockroom.core.digests import keyed_digest
from stockroom.core.encryption import encrypt, renewed
from stockroom.core.transaction import reading, transaction
from stockroom.mail import repository
from stockroom.mail.models import Mail, MailState

SEND_JOB = "mail.send"
MOST_LISTED = 200
AN_HOUR = timedelta(hours=1)


def send(
    session: Session, to: str, template: str, params: Mapping[str, str], *, user_id: UUID | None
) -> UUID:
    """Send a mail once the session's transaction is committed, and only then; returns its id.

    :param template: ``feature/name``: the files ``stockroom/<feature>/mails/<name>.txt`` and
        ``.html``.
    :param params: what the template names, beside ``base_url``.
    :param user_id: whose account it is about: it is part of what is kept on that person. None if it
        is about nobody's.
    """
    mail_id = new_id()
    secret = encrypt(json.dumps(dict(params)))
    mail = Mail(id=mail_id, address=to, user_id=user_id, template=template, params=secret)
    session.add(mail)
    wake(session, SEND_JOB)
    return mail_id


def was_written_often(session: Session, to: str, template: str, times: int) -> bool:
    """Whether a mail of this kind was written so many times within the last hour."""
    addresses = (to, _digest_of(to))
    return repository.written_since(session, addresses, template, now() - AN_HOUR) >= times


def forget(session: Session, user_id: UUID, address: str) -> None:
    """Remove the mails of a person, within a transaction.

    Those that were sent within the last hour still count (``was_written_often``): whoever removes
    an account and opens it again could otherwise have any address written to without end. They stay
    with a digest of their address, until they are forgotten once again.
    """
    for mail in repository.lock_written_to(session, user_id, address):
        if mail.state is MailState.SENT and mail.created_at > now() - AN_HOUR:
            mail.address, mail.user_id = _digest_of(mail.address), user_id
        else:
            session.delete(mail)


def reencrypt() -> int:
    """Encrypt what mails that wait are made of with the first of the keys; returns how many.

    :raises Undecipherable: if there is one that no key fits.
    """
    with transaction() as session:
        mails = repository.lock_pending(session)
        for mail in mails:
            mail.params = renewed(mail.params or "")
    return len(mails)


def newest(state: MailState | None = None) -> Sequence[Mail]:
    """The newest mails, at most 200."""
    with reading() as session:
        return repository.newest(session, state, MOST_LISTED)


def _digest_of(address: str) -> str:
    return keyed_digest("mail", address)

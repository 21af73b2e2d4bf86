"""Failed logins make the next ones wait, longer each time; nobody is locked out for good.

Failures count by account and by network. Where an account has logged in before, it is at home, and
has a count of its own there: a stranger who fails elsewhere keeps nobody from logging in at home.
All of it is in the database, so that it holds in every process, and it is the same for an address
that has no account: neither the answers nor the work done for them tell the two apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy.orm import Session

from stockroom.auth import failures
from stockroom.auth.errors import BadCredentials, TooManyAttempts
from stockroom.auth.failures import Key, Rule
from stockroom.core.addresses import likely_address
from stockroom.core.callers.networks import network_of
from stockroom.core.context import client_address
from stockroom.core.database import now
from stockroom.core.digests import keyed_digest
from stockroom.core.transaction import transaction
from stockroom.outbox.service import record
from stockroom.outbox.types import EventType
from stockroom.second_factor.errors import BadCode
from stockroom.users.models import User

FREE_BY_ACCOUNT = 5
FREE_BY_NETWORK = 20
LONGEST_WAIT_SECONDS = 15 * 60
REMEMBERED = timedelta(days=1)
"""How long after the last failure all of them count."""
AT_HOME = timedelta(days=90)
"""How long after its last login there an account is at home in a network."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to log in.

    :ivar subject: the id that events about it have; made up where nobody has the address.
    """

    account: str
    network: str
    is_at_home: bool
    subject: UUID

    @property
    def counted(self) -> tuple[tuple[Key, int], ...]:
        """What a failure counts for, and how many are free there; in the order of their keys."""
        own = Key(self.account, self.network if self.is_at_home else "")
        return (Key("", self.network), FREE_BY_NETWORK), (own, FREE_BY_ACCOUNT)


def begin(email: str) -> Attempt:
    """Let somebody try to log in.

    :raises TooManyAttempts: if it is too early for that.
    """
    account, network = keyed_digest("account", likely_address(email)), _network()
    home = Key(account, network)
    found = failures.of(account, network)
    moment = now()
    trusted_until = found[home].trusted_until if home in found else None
    is_at_home = trusted_until is not None and trusted_until > moment
    attempt = Attempt(account, network, is_at_home, UUID(account[:32]))
    ends = [found[key].blocked_until for key, _ in attempt.counted if key in found]
    if waits := [end - moment for end in ends if end is not None and end > moment]:
        raise TooManyAttempts(ceil(max(waits).total_seconds()))
    return attempt


@contextmanager
def counted(attempt: Attempt, user_id: UUID | None) -> Iterator[None]:
    """Count what is refused in the block as a failure, before the refusal goes on its way.

    :param user_id: whose login fails; None if nobody has the address.
    """
    try:
        yield
    except (BadCredentials, BadCode):
        subject = user_id or attempt.subject
        with transaction() as session:
            record(session, EventType.USER_LOGIN_FAILED, subject, {})
            if _count(session, attempt) == FREE_BY_ACCOUNT + 1:
                record(session, EventType.USER_LOGIN_BLOCKED, subject, {})
        raise


def succeed(session: Session, attempt: Attempt) -> None:
    """Forget the failures of an account that has logged in, which is at home here from now on."""
    _welcome(session, attempt.account, attempt.network)


def welcome(session: Session, email: str) -> None:
    """The same for one who has shown in another way whose account it is, as by a mail."""
    _welcome(session, keyed_digest("account", email), _network())


def forget(session: Session, email: str) -> None:
    """Forget the failures of an account, and where it is at home."""
    failures.forget_account(session, keyed_digest("account", email))


def unblock(user: User) -> None:
    """Let the next login of an account try at once, wherever it comes from."""
    with transaction() as session:
        failures.lift_block(session, keyed_digest("account", user.email))
        record(session, EventType.USER_LOGIN_UNBLOCKED, user.id, {})


def remove_old() -> int:
    """Remove failures that count no longer; returns how many rows."""
    moment = now()
    with transaction() as session:
        return failures.remove_old(session, moment - REMEMBERED, moment)


def _count(session: Session, attempt: Attempt) -> int:
    """Returns how often the account has failed by now."""
    moment = now()
    total = 0
    for key, free in attempt.counted:
        rule = Rule(free, LONGEST_WAIT_SECONDS, moment - REMEMBERED)
        total = failures.count(session, key, rule, moment)
    return total


def _welcome(session: Session, account: str, network: str) -> None:
    moment: datetime = now()
    failures.forgive(session, Key(account, ""))
    failures.trust(session, Key(account, network), moment, moment + AT_HOME)


def _network() -> str:
    return keyed_digest("network", network_of(client_address.get() or ""))

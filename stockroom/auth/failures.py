"""Every query on failed logins."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from stockroom.auth.models import FailedLogins
from stockroom.core.database import table_of
from stockroom.core.sql import batch
from stockroom.core.sql.prepared import Prepared

SECOND = timedelta(seconds=1)

_ROWS = table_of(FailedLogins)
_INSERT = insert(_ROWS)
_REPLACE = _INSERT.on_conflict_do_update(constraint=_ROWS.primary_key, set_=_INSERT.excluded)
_OF_BOTH = Prepared(
    select(_ROWS.c.account, _ROWS.c.network, _ROWS.c.blocked_until, _ROWS.c.trusted_until).where(
        _ROWS.c.account.in_([bindparam("of_account"), ""]),
        _ROWS.c.network.in_([bindparam("of_network"), ""]),
    )
)
_DELETE = delete(_ROWS).where(
    _ROWS.c.account == bindparam("of_account"), _ROWS.c.network == bindparam("of_network")
)


class Key(NamedTuple):
    """Of an account, from a network, or both; the digest that is empty stands for all of them."""

    account: str
    network: str


class Rule(NamedTuple):
    """What failures cost.

    :ivar free: as many cost nothing; the wait after the next is a second, and doubles from then on.
    :ivar longest: seconds of the longest wait.
    :ivar forgotten_before: failures before this moment no longer count.
    """

    free: int
    longest: int
    forgotten_before: datetime


class State(NamedTuple):
    """Until when logins are blocked, and until when the account is at home."""

    blocked_until: datetime | None
    trusted_until: datetime | None


def of(account: str, network: str) -> dict[Key, State]:
    """Of the account, of the network, and of both together."""
    rows = _OF_BOTH.all(of_account=account, of_network=network)
    return {Key(*row[:2]): State(*row[2:]) for row in rows}


def count(session: Session, key: Key, rule: Rule, moment: datetime) -> int:
    """Count one more failure, and block if there are too many; returns how many there are."""
    # In one statement: of many failures at once, each one counts.
    is_old = FailedLogins.counted_at < rule.forgotten_before
    failures = case((is_old, 1), else_=FailedLogins.failures + 1)
    statement = (
        insert(FailedLogins)
        .values(account=key.account, network=key.network, failures=1, counted_at=moment)
        .on_conflict_do_update(
            index_elements=[FailedLogins.account, FailedLogins.network],
            set_={
                "failures": failures,
                "counted_at": moment,
                "blocked_until": _blocked_until(failures, rule, moment),
            },
        )
        .returning(FailedLogins.failures)
    )
    return session.scalars(statement).one()


def trust(session: Session, key: Key, moment: datetime, until: datetime) -> None:
    """The account is at home there from now on, and has failed at nothing."""
    values = {"failures": 0, "counted_at": moment, "blocked_until": None, "trusted_until": until}
    batch.leave(session, _REPLACE, {**key._asdict(), **values})


def forgive(session: Session, key: Key) -> None:
    """Forget the failures of one key."""
    batch.leave(session, _DELETE, {"of_account": key.account, "of_network": key.network})


def forget_account(session: Session, account: str) -> None:
    _delete(session, FailedLogins.account == account)


def lift_block(session: Session, account: str) -> None:
    """Forget the failures of an account, but not where it is at home."""
    statement = update(FailedLogins).where(FailedLogins.account == account)
    session.execute(statement.values(failures=0, blocked_until=None))


def remove_old(session: Session, before: datetime, moment: datetime) -> int:
    """Remove what counts no longer, and says of nobody where they are at home."""
    is_over = or_(FailedLogins.trusted_until.is_(None), FailedLogins.trusted_until < moment)
    return _delete(session, FailedLogins.counted_at < before, is_over)


def _blocked_until(failures: Any, rule: Rule, moment: datetime) -> Any:
    # The exponent is bounded: the wait has been the longest one for long by then.
    doublings = func.least(failures - rule.free - 1, 30)
    seconds = func.least(func.power(2, doublings), rule.longest)
    blocked_until = literal(moment) + seconds * literal(SECOND)
    return case((failures > rule.free, blocked_until), else_=None)


def _delete(session: Session, *conditions: ColumnElement[bool]) -> int:
    statement = delete(FailedLogins).where(*conditions)
    result = session.execute(statement.execution_options(synchronize_session=False))
    return result.rowcount  # type: ignore[attr-defined,no-any-return]

"""Whether the relay keeps up."""

from sqlalchemy.exc import ProgrammingError

from stockroom.core.database import now
from stockroom.core.errors import Unavailable
from stockroom.core.health import Unready
from stockroom.core.transaction import reading
from stockroom.outbox import repository

LONGEST_SECONDS = 60


def check_relay() -> str:
    """How old the oldest event is that has not been relayed."""
    try:
        with reading() as session:
            oldest = repository.oldest_waiting(session)
    except Unavailable:
        raise Unready("cannot be read: the database does not answer") from None
    except ProgrammingError:
        raise Unready("cannot be read: run `flask db upgrade`") from None
    if oldest is None:
        return "all relayed"
    seconds = max(0.0, (now() - oldest).total_seconds())
    found = f"the oldest that is not relayed is {seconds:.1f} s old"
    if seconds > LONGEST_SECONDS:
        raise Unready(f"{found}: does a worker run?")
    return found

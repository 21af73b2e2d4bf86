"""The sink that turns events into deliveries."""

from sqlalchemy.orm import Session

from stockroom.core.background.wakeups import wake
from stockroom.outbox.sinks import Sink
from stockroom.webhooks.sending import queue

DELIVER_JOB = "webhooks.deliver"


def take(session: Session, after: int, through: int) -> None:
    added = queue.add_matching(session, after, through)
    tests = queue.give_positions(session, after, through)
    if added or tests:
        wake(session, DELIVER_JOB)


def needed_after(session: Session) -> int | None:
    """The position before that of the oldest event which is still to be sent."""
    oldest = queue.oldest_pending(session)
    return None if oldest is None else oldest - 1


SINK = Sink("webhooks", take, needed_after)

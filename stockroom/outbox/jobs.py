"""Due work on events: relaying them, and removing old ones."""

from datetime import timedelta

from stockroom.core.background.jobs import Job
from stockroom.core.context import settings
from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.outbox import repository
from stockroom.outbox.relay import relay
from stockroom.outbox.service import RELAY_JOB
from stockroom.outbox.sinks import bound_outlets

REMOVED_AT_ONCE = 1000


def remove_old_events() -> int:
    """Remove events past ``EVENT_DAYS`` that every sink is through with; returns how many."""
    removed = 0
    while True:
        batch = _remove_batch()
        removed += batch
        if batch < REMOVED_AT_ONCE:
            return removed


def _remove_batch() -> int:
    before = now() - timedelta(days=settings().event_days)
    sinks = bound_outlets().sinks
    with transaction() as session:
        through = repository.lowest_cursor(session, [sink.name for sink in sinks])
        for sink in sinks:
            needed_after = sink.through(session)
            through = through if needed_after is None else min(through, needed_after)
        return repository.remove(session, before, through, REMOVED_AT_ONCE)


JOBS = (
    Job(RELAY_JOB, relay, every_seconds=1),
    Job("outbox.remove_old_events", remove_old_events, every_seconds=3600),
)

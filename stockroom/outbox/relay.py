"""The relay: positions for committed events, and their way to the sinks.

Whoever holds the relay's cursor row is the relay; a crash undoes what it was at, and unlocks.
"""

import structlog

from stockroom.core.transaction import transaction
from stockroom.outbox import repository
from stockroom.outbox.sinks import Outlets, Sink, bound_outlets

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE = 500


def relay() -> None:
    """Give every committed event its position, in the order of the commits, and hand all on."""
    outlets = bound_outlets()
    while True:
        given, newest = _give_positions(outlets)
        # Whoever watches live is told first: the sinks have more to do.
        if given:
            _tell(outlets, newest)
        _hand_on(outlets, newest)
        if given < EVENTS_AT_ONCE:
            return


def _give_positions(outlets: Outlets) -> tuple[int, int]:
    """How many events got one, and the newest position now."""
    with transaction() as session:
        before = repository.lock_relay(session, [sink.name for sink in outlets.sinks])
        given = repository.give_positions(session, before, EVENTS_AT_ONCE)
        if given:
            repository.move_cursor(session, repository.RELAY, before + given)
    return given, before + given


def _tell(outlets: Outlets, newest: int) -> None:
    for tell in outlets.listeners:
        try:
            tell(newest)
        except Exception:
            # It will find what it missed; the others do not wait for it.
            log.exception("listener failed")


def _hand_on(outlets: Outlets, newest: int) -> None:
    for sink in outlets.sinks:
        try:
            while _hand_to(sink, newest):
                pass
        except Exception:
            # Its cursor stays where it is, and the other sinks do not wait for it.
            log.exception("sink failed", sink=sink.name)


def _hand_to(sink: Sink, newest: int) -> bool:
    """Give a sink its next events; returns whether more are left for it."""
    with transaction() as session:
        after = repository.lock_cursor(session, sink.name)
        through = min(after + EVENTS_AT_ONCE, newest)
        if through > after:
            sink.take(session, after, through)
            repository.move_cursor(session, sink.name, through)
    return through < newest

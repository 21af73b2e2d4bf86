"""Waking a job at the moment that its work is committed, by PostgreSQL's NOTIFY.

A wake-up is a courtesy: one that is lost, or cannot be had as behind PgBouncer, costs no more than
the time until the job runs by itself.
"""

import select
from collections.abc import Callable
from contextlib import closing
from threading import Event

import structlog
from psycopg2 import Error
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from stockroom.core.sql import batch
from stockroom.core.sql.poolers import is_direct
from stockroom.embedded.errors import EmbeddedServerError
from stockroom.extensions import db

log = structlog.get_logger(__name__)

CHANNEL = "stockroom_jobs"
LOOK_UP_SECONDS = 0.1
RECONNECT_SECONDS = 1.0

# Not ``pg_notify``, which answers with a row that somebody would have to read.
_NOTIFY = text(f"NOTIFY {CHANNEL}, :job")


def wake(session: Session, job: str) -> None:
    """Wake the job once the session's transaction is committed, and only then."""
    batch.leave(session, _NOTIFY, {"job": job})


def listen(stop: Event, on_wake: Callable[[set[str]], None]) -> None:
    """Call ``on_wake`` with the names of the jobs that were woken, until ``stop`` is set.

    The connection is one of its own, and is made anew whenever it is lost. Behind a pooler there
    is nothing to hear, and the call is over at once.
    """
    while not stop.is_set():
        try:
            if not _listen_once(stop, on_wake):
                log.info("no wake-ups", reason="a pooler is in front of the database")
                return
        except (SQLAlchemyError, Error, OSError, EmbeddedServerError) as error:
            log.warning("wake-ups away", reason=str(error))
            stop.wait(RECONNECT_SECONDS)


def _listen_once(stop: Event, on_wake: Callable[[set[str]], None]) -> bool:
    """Listen until ``stop`` is set; false where that is not to be had."""
    # Taken out of the pool for good: a connection that listens must not serve requests.
    pooled = db.engine.raw_connection()
    connection = pooled.driver_connection
    assert connection is not None  # noqa: S101 - tells the type checker
    pooled.detach()
    with closing(connection):
        connection.set_session(autocommit=True)
        if not is_direct(connection):
            return False
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        # Not ``select``, which knows no more than a thousand open files.
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        while not stop.is_set():
            if poll.poll(LOOK_UP_SECONDS * 1000):
                connection.poll()
                names = {notice.payload for notice in connection.notifies}
                connection.notifies.clear()
                # What the server says before it closes the connection has no names.
                if names:
                    on_wake(names)
    return True

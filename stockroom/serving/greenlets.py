"""Greenlets in place of threads, for a process that holds thousands of streams open.

gevent's worker lets Python's own sockets and locks give way to others while they wait. psycopg2
waits in C, and has to be told how.
"""

from gevent.socket import wait_read, wait_write
from psycopg2 import OperationalError
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE, connection, set_wait_callback


def let_psycopg2_wait() -> None:
    """Let other greenlets run while one waits for the database."""
    set_wait_callback(_wait)


def _wait(waiting: connection) -> None:
    while (state := waiting.poll()) != POLL_OK:
        if state == POLL_READ:
            wait_read(waiting.fileno())
        elif state == POLL_WRITE:
            wait_write(waiting.fileno())
        else:
            raise OperationalError(f"The connection is in an unknown state: {state}.")

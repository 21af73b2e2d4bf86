"""Whether a pooler, such as PgBouncer, stands between a connection and its server.

In transaction mode each transaction may have another connection of the server: what a session
sets, or listens to, would be left behind for whoever comes next.
"""

from psycopg2.extensions import connection


def is_direct(link: connection) -> bool:
    """Whether the server's process is the one that answered when the connection was made.

    A pooler answers by itself, with a number of its own. It is one round trip.
    """
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (None,)
    return bool(pid == link.info.backend_pid)

"""How long a statement of a web process may take, and how long it may wait for a lock.

Whoever asks over HTTP is not kept waiting for ever, and nor are those who want the connection
next. Commands and workers, for whom nobody waits, are not bound: an import takes as long as it
takes.
"""

from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection
from sqlalchemy import Connection, Engine, event

from stockroom.config import Settings
from stockroom.core.sql.poolers import is_direct


def bind(engine: Engine, settings: Settings) -> None:
    """Have PostgreSQL cut off what takes longer on the engine's connections, from the next one on.

    It costs requests no round trip: a connection is told once. Behind a pooler, where it is not
    the same one for long, each transaction is told, together with its first statement.
    """

    def tell(link: connection, _record: object) -> None:
        link.autocommit = True
        if is_direct(link):
            with link.cursor() as cursor:
                cursor.execute(of_session(settings))
        elif not event.contains(engine, "before_cursor_execute", tell_transaction):
            event.listen(engine, "before_cursor_execute", tell_transaction, retval=True)
        link.autocommit = False

    def tell_transaction(
        _connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        # What goes before the query of a named cursor would become a part of its declaration.
        is_first = cursor.connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        if is_first and cursor.name is None:
            statement = _statements(settings, "LOCAL") + statement
        return statement, parameters

    event.listen(engine, "connect", tell)


def of_session(settings: Settings) -> str:
    """The statements that tell a connection."""
    return _statements(settings, "SESSION")


def _statements(settings: Settings, scope: str) -> str:
    limits = {
        "statement_timeout": settings.database_statement_timeout_seconds,
        "lock_timeout": settings.database_lock_timeout_seconds,
    }
    return "".join(
        f"SET {scope} {name} = {round(seconds * 1000)}; " for name, seconds in limits.items()
    )

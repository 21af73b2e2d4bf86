"""Let a SQLAlchemy engine start the private server when it first connects."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from stockroom.embedded.postgres import EmbeddedPostgres


def attach(engine: Engine, server: EmbeddedPostgres) -> None:
    """Send the engine's connections to the server, which the first of them starts.

    If the server is gone when a later one is made, it is started again, once.
    """

    @event.listens_for(engine, "do_connect")
    def connect(
        dialect: Dialect, _record: object, arguments: list[Any], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        # `start` would look whether the server answers, which costs it a process each time.
        info = server.info or server.start()
        try:
            return dialect.connect(*arguments, **(parameters | info.libpq()))
        except dialect.loaded_dbapi.OperationalError:
            if info.answers:
                raise
            info = server.start()
        return dialect.connect(*arguments, **(parameters | info.libpq()))

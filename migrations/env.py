"""Runs the migrations on the application's own engine."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from stockroom.core.console import plain_errors
from stockroom.core.sql.refusals import translated

# A migration that cannot have its lock at once gives up, instead of making every query queue
# behind it; it is then simply run again.
LOCK_TIMEOUT_SECONDS = 5


def run_migrations() -> None:
    extension = current_app.extensions["migrate"]
    options = dict(extension.configure_args)
    # Only that there is no server: what a migration itself does wrong keeps its trace.
    with plain_errors(), translated():
        connection = extension.db.engine.connect()
    with connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=extension.db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        # The connection returns to the pool, where nobody expects the timeout.
        connection.execute(text("RESET lock_timeout"))
        connection.commit()


run_migrations()

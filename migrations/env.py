"""Runs the migrations on the application's own engine."""

from alembic import context
from flask import current_app
from sqlalchemy import text

# A migration that cannot have its lock at once gives up, instead of making every query queue
# behind it; it is then simply run again.
LOCK_TIMEOUT_SECONDS = 5


def run_migrations() -> None:
    extension = current_app.extensions["migrate"]
    options = dict(extension.configure_args)
    with extension.db.engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=extension.db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        # The connection returns to the pool, where nobody expects the timeout.
        connection.execute(text("RESET lock_timeout"))
        connection.commit()


run_migrations()

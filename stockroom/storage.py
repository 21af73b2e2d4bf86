"""Which PostgreSQL the application talks to: the one that is named, or a private one."""

from flask import Flask

from stockroom.config import ROOT, Settings
from stockroom.core.sql.connections import watch
from stockroom.embedded.attach import attach
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.extensions import db, migrate

CONNECT_SECONDS = 5
POOL_SECONDS = 10
"""How long a request waits for a connection. In a crowd others can come first: it is no queue."""

# A server that is gone without a word would never be noticed by who only listens, and by who has
# asked not for a quarter of an hour.
_NOTICING = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the database; nothing connects, or starts, before the first query."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.connections,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        # Values never reach a log or a trace by way of an error message.
        "hide_parameters": True,
        "connect_args": {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "stockroom",
            **_NOTICING,
        },
    }
    db.init_app(app)
    migrate.init_app(
        app,
        db,
        directory=str(ROOT / "migrations"),
        compare_server_default=True,
        render_as_batch=False,
    )
    with app.app_context():
        watch(db.engine)
        if not settings.database_url:
            attach(db.engine, EmbeddedPostgres(settings.instance_path / "postgres"))

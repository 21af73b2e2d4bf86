"""Real PostgreSQL and Redis for one run of the tests, on addresses of their own."""

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg2
from flask_migrate import upgrade
from psycopg2 import sql
from sqlalchemy import Engine, Text, delete, exists, func, select, text
from sqlalchemy.dialects import postgresql

from stockroom.app import create_app
from stockroom.config import Environment, Settings
from stockroom.embedded.postgres import EmbeddedPostgres
from stockroom.embedded.redis import EmbeddedRedis
from stockroom.extensions import db, metadata
from stockroom.stock.models import MAIN, Location, Movement
from tests.pgbouncer import pgbouncer

TEMPLATE = "stockroom_template"
POOLED_CONNECTIONS = 60
"""Of the server's, for each database behind PgBouncer: some tests hold many transactions open."""

# Nothing of a test run needs to outlive a crash of the machine.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    # More would only have to be searched when a database is dropped.
    "shared_buffers": "128MB",
}

_HAS_MOVEMENTS = select(exists().where(Movement.id.is_not(None)))
# Nobody can remove a line of the ledger who has not switched that off.
_ERASE_LEDGER = (
    "ALTER TABLE stock_movements DISABLE TRIGGER append_only",
    "DELETE FROM stock_movements",
    "ALTER TABLE stock_movements ENABLE TRIGGER append_only",
)


@dataclass(slots=True)
class Servers:
    home: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    addresses: dict[str, str]
    pooler: ExitStack

    @classmethod
    def start(cls, *, pooled: bool = False) -> "Servers":
        """Both servers, and a migrated database to clone.

        :param pooled: put a PgBouncer in front of the databases.
        """
        home = Path(tempfile.mkdtemp(prefix="stockroom-tests-"))
        # As root, the server runs under another account, which has to reach its data.
        home.chmod(0o711)
        postgres = EmbeddedPostgres(home / "postgres", settings=_FAST)
        redis = EmbeddedRedis(home / "redis")
        info = postgres.start()
        addresses = {
            "postgres": f"postgresql://{info.user}@/{{}}?host={quote(info.host, safe='')}"
            f"&port={info.port}",
            "redis": redis.start(),
        }
        servers = cls(home, postgres, redis, addresses, ExitStack())
        migrate(cls.database(addresses, TEMPLATE, template="template0"), home)
        if pooled:
            pooler = pgbouncer(addresses["postgres"], connections=POOLED_CONNECTIONS)
            addresses["pgbouncer"] = servers.pooler.enter_context(pooler)
        return servers

    def stop(self) -> None:
        self.pooler.close()
        self.redis.stop()
        self.postgres.stop()
        shelter = (self.home / "postgres").resolve()
        shutil.rmtree(shelter, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    @staticmethod
    def database(addresses: dict[str, str], name: str, template: str = TEMPLATE) -> str:
        """The address of a new database, which is a copy of the template: behind PgBouncer, where
        there is one.
        """
        connection = psycopg2.connect(addresses["postgres"].format("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            cursor.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        connection.close()
        return addresses.get("pgbouncer", addresses["postgres"]).format(name)


def all_events(engine: Engine) -> list[str]:
    """Every event, with all that is stored of it, as text."""
    with engine.connect() as connection:
        return [*connection.scalars(text("SELECT to_jsonb(events)::text FROM events"))]


def all_rows(engine: Engine) -> list[str]:
    """Every row of every table, as text."""
    with engine.connect() as connection:
        return [
            row
            for table in metadata.sorted_tables
            for row in connection.scalars(select(func.to_jsonb(table.table_valued()).cast(Text)))
        ]


def empty_tables(engine: Engine) -> None:
    """Remove all rows but the one that a migration has made: the location ``main``."""
    with engine.begin() as connection:
        if connection.scalar(_HAS_MOVEMENTS):
            connection.execute(text(";".join(_ERASE_LEDGER)))
        connection.execute(text(_deletions()))


@cache
def _deletions() -> str:
    # Not by TRUNCATE, which makes new files for every table and index, where a test has left
    # a handful of rows.
    tables = [
        table for table in reversed(metadata.sorted_tables) if table is not Movement.__table__
    ]
    deletions = [table.delete() for table in tables if table is not Location.__table__]
    deletions.append(delete(Location).where(Location.code != MAIN))
    as_text = {"dialect": postgresql.dialect(), "compile_kwargs": {"literal_binds": True}}
    return ";".join(str(deletion.compile(**as_text)) for deletion in deletions)


def migrate(address: str, home: Path) -> None:
    """Make the tables in the empty database at the address."""
    settings = Settings(
        environment=Environment.TESTING,
        instance_path=home,
        database_url=address,
        secret_key="unused",
        jwt_secret_key="unused",
        log_level=30,
    )
    app = create_app(settings)
    with app.app_context():
        upgrade()
        db.engine.dispose()

"""Migrations: there and back again, in step with the models."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text

from stockroom.config import ROOT
from stockroom.extensions import db
from tests.servers import Servers

# What a schema is made of, as PostgreSQL itself describes it.
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
DESCRIPTIONS = (
    """SELECT table_name, column_name, data_type, is_nullable, character_maximum_length,
        column_default, generation_expression
        FROM information_schema.columns WHERE table_schema = 'public'""",
    INDEXES,
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace",
)


@pytest.fixture
def empty_app(servers: dict[str, str], make_app: Callable[..., Flask]) -> Flask:
    """An application on a database of its own, without a table."""
    name = f"migrations_{uuid4().hex}"
    return make_app(database_url=Servers.database(servers, name, template="template0"))


def flask_db(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["db", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def schema(app: Flask, descriptions: Iterable[str] = DESCRIPTIONS) -> list[str]:
    with app.app_context(), db.engine.connect() as connection:
        return sorted(
            str(row)
            for statement in descriptions
            for row in connection.execute(text(statement))
            if "alembic_version" not in str(row)
        )


def test_an_upgrade_can_be_undone_and_done_again(empty_app: Flask) -> None:
    flask_db(empty_app, "upgrade")
    upgraded = schema(empty_app)
    flask_db(empty_app, "downgrade", "base")
    assert schema(empty_app) == []
    flask_db(empty_app, "upgrade")
    assert schema(empty_app) == upgraded


def test_every_single_step_can_be_undone(empty_app: Flask) -> None:
    directory = ScriptDirectory(str(ROOT / "migrations"))
    for script in reversed(list(directory.walk_revisions())):
        before = schema(empty_app)
        flask_db(empty_app, "upgrade", script.revision)
        after = schema(empty_app)
        if script.down_revision:
            flask_db(empty_app, "downgrade", str(script.down_revision))
            assert schema(empty_app) == before
            flask_db(empty_app, "upgrade", script.revision)
        assert schema(empty_app) == after


def test_the_models_have_no_change_without_its_migration(empty_app: Flask) -> None:
    flask_db(empty_app, "upgrade")
    flask_db(empty_app, "check")


def test_the_models_describe_the_indexes_that_migrations_make(app: Flask, empty_app: Flask) -> None:
    with empty_app.app_context():
        db.create_all()
    described, made = (set(schema(it, [INDEXES])) for it in (empty_app, app))
    assert described == made


def test_a_model_without_its_migration_is_noticed(empty_app: Flask) -> None:
    flask_db(empty_app, "upgrade")
    with empty_app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE products DROP COLUMN family"))
    result = empty_app.test_cli_runner().invoke(args=["db", "check"])
    assert result.exit_code != 0


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory(str(ROOT / "migrations")).get_heads()) == 1


def test_the_name_of_a_migration_begins_with_its_date() -> None:
    names = [path.name for path in (ROOT / "migrations" / "versions").glob("*.py")]
    assert names
    for name in names:
        found = re.fullmatch(r"(\d{4})_(\d{2})_(\d{2})_[a-z0-9_]+\.py", name)
        assert found, name
        date(*map(int, found.groups()))


def test_a_migration_leaves_no_lock_timeout_behind(empty_app: Flask) -> None:
    flask_db(empty_app, "upgrade")
    with empty_app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "0"


@pytest.mark.parametrize("command", ["upgrade", "current", "check"])
def test_a_database_that_is_away_is_one_line(make_app: Callable[..., Flask], command: str) -> None:
    app = make_app(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    result = app.test_cli_runner().invoke(args=["db", command])
    assert (result.exit_code, result.output) == (1, "Error: The database does not answer.\n")

"""``flask doctor``: what is wrong with an installation, in words for its operator."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import create_engine, text

from stockroom.config import Settings
from stockroom.core.health import migration_head
from stockroom.extensions import db


def run(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["doctor", *options])


def findings(app: Flask) -> dict[str, tuple[str, str]]:
    rows = json.loads(run(app, "--json").output)
    return {row["what"]: (row["state"], row["found"]) for row in rows}


def test_a_healthy_installation_has_nothing_that_fails(app: Flask) -> None:
    result = run(app)
    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.output
    assert result.output.splitlines()[0].split() == ["what", "state", "found"]


def test_it_looks_at_settings_services_and_security(app: Flask) -> None:
    assert {"environment", "database", "migrations", "redis", "password cost", "https"} <= set(
        findings(app)
    )


def test_a_database_that_does_not_answer_fails(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://shop:hunter2@127.0.0.1:1/shop")
    result = run(app)
    assert result.exit_code == 1
    assert findings(app)["database"] == ("FAIL", "does not answer")
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_a_redis_that_does_not_answer_fails(make_app: Callable[..., Flask]) -> None:
    app = make_app(redis_url="redis://:hunter2@127.0.0.1:1/0")
    assert run(app).exit_code == 1
    assert findings(app)["redis"] == ("FAIL", "does not answer")
    make_app()


def test_a_redis_that_answers_is_all_right(
    make_app: Callable[..., Flask], servers: dict[str, str]
) -> None:
    assert findings(make_app(redis_url=servers["redis"]))["redis"] == ("ok", "answers")
    make_app()


def test_a_schema_of_another_version_fails_and_names_the_remedy(app: Flask) -> None:
    with app.app_context():
        head = migration_head()
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        state, found = findings(app)["migrations"]
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :head"), {"head": head}
            )
    assert state == "FAIL"
    assert "flask db upgrade" in found


@pytest.mark.parametrize(
    ("setting", "what", "state"),
    [
        ({"force_https": True}, "https", "ok"),
        ({"force_https": False}, "https", "note"),
        ({"password_memory_kib": 19 * 1024}, "password cost", "ok"),
        ({"password_memory_kib": 1024}, "password cost", "note"),
        ({"cors_origins": ["*"]}, "cors origins", "note"),
        ({"cors_origins": ["https://shop.example"]}, "cors origins", "ok"),
        ({"public_url": "https://api.example"}, "address", "ok"),
    ],
)
def test_what_could_be_safer_is_noted(
    make_app: Callable[..., Flask], setting: dict[str, object], what: str, state: str
) -> None:
    app = make_app(**setting)
    assert findings(app)[what][0] == state
    assert run(app).exit_code == 0


def test_no_secret_is_printed(app: Flask, settings: Settings) -> None:
    output = run(app).output
    assert settings.secret_key not in output
    assert settings.jwt_secret_key not in output


def test_its_help_has_an_example(app: Flask) -> None:
    assert "Example: flask doctor" in run(app, "--help").output


def test_a_database_that_knows_only_ascii_letters_fails(
    servers: dict[str, str], make_app: Callable[..., Flask]
) -> None:
    name = f"ascii_{uuid4().hex}"
    admin = create_engine(servers["postgres"].format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} LOCALE 'C' TEMPLATE template0"))
    admin.dispose()
    app = make_app(database_url=servers["postgres"].format(name))
    state, found = findings(app)["locale"]
    assert state == "FAIL"
    assert "C.UTF-8" in found


def test_more_connections_than_the_server_has_fail(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_pool_size=200, web_concurrency=2, redis_url="redis://127.0.0.1:1/0")
    state, found = findings(app)["connections"]
    assert (state, found.partition(":")[0]) == ("FAIL", "up to 406, and the server has 297")
    make_app()


def test_as_many_connections_as_the_server_has_are_all_right(app: Flask) -> None:
    assert findings(app)["connections"] == ("ok", "up to 13 of 297")

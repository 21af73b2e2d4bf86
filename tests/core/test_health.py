"""Alive, and ready: the second says what is missing."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import text

from stockroom.core.health import migration_head
from stockroom.extensions import db

NOBODY_LISTENS = "127.0.0.1:1"


def test_a_process_that_answers_is_alive(app: Flask) -> None:
    response = app.test_client().get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "alive"})


def test_a_process_is_alive_without_its_database(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url=f"postgresql://{NOBODY_LISTENS}/shop")
    assert app.test_client().get("/healthz").status_code == 200


def test_with_all_that_it_needs_it_is_ready(app: Flask) -> None:
    response = app.test_client().get("/readyz")
    checks = response.get_json()["checks"]
    assert response.status_code == 200
    assert checks["database"]["found"].startswith("PostgreSQL ")
    assert all(check["ok"] for check in checks.values())


def test_without_the_database_it_is_not_ready_and_says_so(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url=f"postgresql://shop:hunter2@{NOBODY_LISTENS}/shop")
    response = app.test_client().get("/readyz")
    checks = response.get_json()["checks"]
    assert response.status_code == 503
    wrong = {name for name, check in checks.items() if not check["ok"]}
    assert wrong == {"database", "migrations", "events", "mail"}
    assert "hunter2" not in response.text


def test_without_redis_it_is_not_ready_and_says_so(make_app: Callable[..., Flask]) -> None:
    app = make_app(redis_url=f"redis://:hunter2@{NOBODY_LISTENS}/0")
    response = app.test_client().get("/readyz")
    checks = response.get_json()["checks"]
    assert response.status_code == 503
    assert {name for name, check in checks.items() if not check["ok"]} == {"redis"}
    assert "hunter2" not in response.text
    make_app()


def test_with_a_schema_of_another_version_it_is_not_ready(app: Flask) -> None:
    with app.app_context():
        head = migration_head()
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
        response = app.test_client().get("/readyz")
        with db.engine.begin() as connection:
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
    found = response.get_json()["checks"]["migrations"]["found"]
    assert response.status_code == 503
    assert found == f"at none, not at {head}: run `flask db upgrade`"

"""The application as a whole: what it is made of, and that two can stand side by side."""

from collections.abc import Callable, Iterator

import click
import pytest
from flask import Flask, session
from sqlalchemy import text

from stockroom.core.permissions import Permission
from stockroom.extensions import db
from stockroom.features import FEATURES
from tests.api import PREFIX, Api, assert_problem


def test_every_feature_has_its_routes_below_the_prefix(app: Flask) -> None:
    paths = {str(rule) for rule in app.url_map.iter_rules()}
    for prefix in {f"{PREFIX}{it.routes.url_prefix}" for it in FEATURES if it.routes}:
        assert any(path.startswith(prefix) for path in paths)


def test_every_feature_has_its_commands(app: Flask) -> None:
    expected = {command.name for feature in FEATURES for command in feature.commands}
    assert expected | {"doctor", "serve"} <= set(app.cli.commands)


def test_no_command_stumbles_over_an_argument_that_is_not_utf_8(app: Flask) -> None:
    for line in lines_with_text("MUG\udcff"):
        result = app.test_cli_runner().invoke(args=line)
        assert isinstance(result.exception, SystemExit), line
        assert result.exit_code == 1, line


def lines_with_text(text: str) -> Iterator[list[str]]:
    """Each command that takes text of any kind as an argument, with that text."""
    words: dict[click.ParamType, str] = {click.STRING: text, click.INT: "1"}
    groups = [it for feature in FEATURES for it in feature.commands if isinstance(it, click.Group)]
    for group, name in ((it, name) for it in groups for name in it.commands):
        arguments = (it for it in group.commands[name].params if isinstance(it, click.Argument))
        kinds = [argument.type for argument in arguments]
        if click.STRING in kinds:
            chosen = (it.choices[0] if isinstance(it, click.Choice) else words[it] for it in kinds)
            yield [str(group.name), name, *map(str, chosen)]


def test_two_applications_keep_their_own_settings(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    other = make_app(max_body_bytes=1024)
    body = {"email": "ada@example.com", "password": "x" * 1500}
    assert_problem(Api(other).post("/auth/login", json=body), 413, "body-too-large")
    assert_problem(Api(app).post("/auth/login", json=body), 422, "validation-error")


def test_a_path_is_taken_as_it_is_sent(nobody: Api) -> None:
    assert_problem(nobody.get("//users"), 404, "not-found")


def test_connections_name_the_application(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "stockroom"


def test_every_permission_is_asked_for_somewhere(app: Flask) -> None:
    asked = {getattr(view, "_apidoc", {}).get("access") for view in app.view_functions.values()}
    # Those that only widen what a route answers are asked for within it.
    widening = {Permission.EVENTS_READ, Permission.AUDIT_READ}
    assert set(Permission) - widening <= asked


def test_nothing_can_be_kept_in_a_session_of_flask(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(RuntimeError, match="session is unavailable"):
        session["user"] = "ada"


def test_no_answer_sets_a_cookie_unasked(nobody: Api) -> None:
    sent = {"Cookie": "session=eyJ1c2VyIjoiYWRhIn0.made.up"}
    answer = nobody.get("/products", headers=sent)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers

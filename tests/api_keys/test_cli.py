"""``flask api-keys …``: keys, from a terminal."""

import json

import pytest
from click.testing import Result
from flask import Flask

from stockroom.api_keys.cli import api_keys_commands
from stockroom.api_keys.service import Issued
from stockroom.users.models import User
from tests.api import Api
from tests.factories.api_keys import make_key
from tests.factories.users import make_user
from tests.outbox.events import last_event

NOBODY = "0190163d-8694-739b-aea5-966c26f8ad91"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["api-keys", *arguments])


def assert_fails(result: Result, words: str) -> None:
    """In one line, with status 1, and without a trace."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert words in result.output


@pytest.fixture
def ada(app: Flask) -> User:
    return make_user(app, email="ada@example.com")


@pytest.fixture
def issued(app: Flask, ada: User) -> Issued:
    return make_key(app, ada)


def test_the_keys_of_all_are_listed_without_a_secret(app: Flask, issued: Issued) -> None:
    make_key(app, make_user(app, email="bob@example.com"))
    result = run(app, "list")
    assert "ada@example.com" in result.output
    assert "bob@example.com" in result.output
    assert issued.key[:8] in result.output
    assert issued.key not in result.output


def test_the_keys_of_one_account_are_listed(app: Flask, issued: Issued) -> None:
    make_key(app, make_user(app))
    (row,) = json.loads(run(app, "list", "ada@example.com", "--json").output)
    assert (row["id"], row["owner"]) == (str(issued.api_key.id), "ada@example.com")
    assert row["scopes"] == "account:own,events:follow,reservations:write"


def test_a_key_is_revoked(app: Flask, issued: Issued) -> None:
    result = run(app, "revoke", str(issued.api_key.id))
    assert (result.exit_code, result.output) == (0, f"Revoked Till 3 ({issued.key[:8]}…).\n")
    assert Api(app, key=issued.key).get("/users/me").status_code == 401
    assert last_event(app).type == "api_key.revoked"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "nobody@example.com"], "Nobody has the address nobody@example.com."),
        (["revoke", NOBODY], "No such API key"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    app: Flask, arguments: list[str], words: str
) -> None:
    assert_fails(run(app, *arguments), words)


@pytest.mark.parametrize("name", api_keys_commands.commands)
def test_every_command_has_an_example(app: Flask, name: str) -> None:
    result = run(app, name, "--help")
    assert f"Example: flask api-keys {name}" in " ".join(result.output.split())

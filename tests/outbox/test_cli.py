"""``flask events list``: what has happened, from a terminal."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from stockroom.core.context import Actor, actor
from stockroom.core.database import new_id
from stockroom.outbox.cli import events_commands
from stockroom.outbox.types import EventType
from tests.api import Api
from tests.factories.products import make_product
from tests.outbox.events import record_some, relay_all


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["events", *arguments])


def positions(app: Flask, *options: str) -> list[int]:
    return [row["position"] for row in json.loads(run(app, "list", "--json", *options).output)]


def assert_fails(result: Result, words: str) -> None:
    """In one line, with status 1, and without a trace."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert words in result.output


def test_events_are_listed_in_a_table(app: Flask) -> None:
    product = make_product(app, sku="MUG", name="Mug")
    relay_all(app)
    header, row = run(app, "list").output.splitlines()
    assert header.split() == ["position", "occurred_at", "type", "subject", "actor", "data"]
    assert row.split()[0] == "1"
    assert row.split()[2:4] == ["product.created", str(product.id)]
    assert '"sku":"MUG"' in row


def test_events_are_listed_as_the_api_has_them(app: Flask, staff: Api) -> None:
    make_product(app)
    relay_all(app)
    expected = staff.get("/events").get_json()["items"]
    assert json.loads(run(app, "list", "--json").output) == expected


def test_an_event_that_is_not_relayed_is_not_listed(app: Flask) -> None:
    record_some(app)
    assert positions(app) == []


def test_the_newest_events_are_listed_oldest_first(app: Flask) -> None:
    record_some(app, 60)
    relay_all(app)
    assert positions(app) == list(range(11, 61))
    assert positions(app, "--limit", "3") == [58, 59, 60]


def test_after_a_position_the_first_events_are_listed(app: Flask) -> None:
    record_some(app, 10)
    relay_all(app)
    assert positions(app, "--after", "4", "--limit", "3") == [5, 6, 7]
    assert positions(app, "--after", "0", "--limit", "2") == [1, 2]


def test_events_are_listed_by_type(app: Flask) -> None:
    record_some(app, event_type=EventType.USER_CREATED)
    record_some(app, event_type=EventType.PRODUCT_CREATED)
    record_some(app, event_type=EventType.PRODUCT_ARCHIVED)
    relay_all(app)
    assert positions(app, "--types", "product.*") == [2, 3]
    assert positions(app, "--types", "user.created,product.archived") == [1, 3]


def test_events_are_listed_by_subject_and_actor(app: Flask) -> None:
    subject, ada = new_id(), new_id()
    token = actor.set(Actor(ada))
    record_some(app, subject=subject)
    actor.reset(token)
    record_some(app)
    relay_all(app)
    assert positions(app, "--subject", str(subject)) == [1]
    assert positions(app, "--actor", str(ada)) == [1]
    assert str(ada) in run(app, "list").output


def test_events_are_listed_by_time(app: Flask) -> None:
    record_some(app)
    relay_all(app)
    assert positions(app, "--since", "2026-01-31T12:00:00Z") == [1]
    assert positions(app, "--since", "9000-01-31T12:00:00Z") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--types", "product"], "types: Not types of events: product."),
        (["--subject", "mug"], "subject: Not a valid UUID."),
        (["--since", "yesterday"], "since: Not a time with its offset"),
        (["--after", "-1"], "after: "),
        (["--limit", "201"], "limit: "),
    ],
)
def test_a_bad_option_is_refused_in_one_line(app: Flask, options: list[str], words: str) -> None:
    assert_fails(run(app, "list", *options), words)


@pytest.mark.parametrize("options", [["--types", "product"], ["--after", "x"]])
def test_to_follow_takes_no_bad_option_either(app: Flask, options: list[str]) -> None:
    assert_fails(run(app, "tail", *options), options[0].removeprefix("--"))


def test_without_a_database_it_fails_in_one_line(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://127.0.0.1:1/shop")
    assert_fails(run(app, "list"), "The database does not answer.")
    assert_fails(run(app, "tail"), "The database does not answer.")


@pytest.mark.parametrize("name", sorted(events_commands.commands))
def test_the_help_of_each_command_has_an_example(app: Flask, name: str) -> None:
    result = run(app, name, "--help")
    assert result.exit_code == 0
    assert f"Example: flask events {name}" in " ".join(result.output.split())

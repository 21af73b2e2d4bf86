"""``flask webhooks …``: endpoints and their deliveries, from a terminal."""

import json

import pytest
from click.testing import Result
from flask import Flask

from stockroom.webhooks.cli import webhooks_commands
from tests.api import Api
from tests.factories.products import make_product
from tests.webhooks.hooks import Hook
from tests.webhooks.receivers import Receiver

NOBODY = "0190163d-8694-739b-aea5-966c26f8ad91"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["webhooks", *arguments])


def assert_fails(result: Result, words: str) -> None:
    """In one line, with status 1, and without a trace."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert words in result.output


def test_an_endpoint_is_created_and_its_secret_printed_once(app: Flask, admin: Api) -> None:
    result = run(app, "create", "https://93.184.216.34/", "--events", "product.*, user.created")
    assert result.exit_code == 0, result.output
    assert result.output.count("whsec_") == 1
    (webhook,) = admin.get("/webhooks").get_json()["items"]
    assert webhook["events"] == ["product.*", "user.created"]
    assert "whsec_" not in run(app, "list").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://93.184.216.34/"], "url: Must begin with https://."),
        (["https://127.0.0.1/"], "url: 127.0.0.1 leads to 127.0.0.1, which is not a public"),
        (["https://93.184.216.34/", "--events", "a,b"], "events: Not a type of events, such as"),
    ],
)
def test_a_bad_endpoint_is_refused_in_one_line(
    app: Flask, arguments: list[str], words: str
) -> None:
    assert_fails(run(app, "create", *arguments), words)


def test_endpoints_are_listed(hook: Hook, receiver: Receiver) -> None:
    (row,) = json.loads(run(hook.app, "list", "--json").output)
    assert (row["id"], row["url"], row["active"]) == (hook.id, receiver.url, True)
    assert receiver.url in run(hook.app, "list").output


def test_a_test_is_sent_at_once_and_its_result_said(hook: Hook, receiver: Receiver) -> None:
    result = run(hook.app, "test", hook.id)
    assert result.exit_code == 0
    assert result.output.startswith("Answered 200 (")
    assert receiver.received[0].verify(hook.secret)["type"] == "webhook.tested"
    delivery = hook.delivery()
    assert (delivery["state"], len(delivery["tries"])) == ("delivered", 1)


def test_a_test_that_fails_is_said_in_one_line(hook: Hook, receiver: Receiver) -> None:
    receiver.answers(500)
    assert_fails(run(hook.app, "test", hook.id), "Answered 500")


def test_deliveries_are_listed_and_sent_once_more(hook: Hook, receiver: Receiver) -> None:
    make_product(hook.app)
    hook.attempt()
    (row,) = json.loads(run(hook.app, "deliveries", hook.id, "--json").output)
    assert (row["event"], row["state"], row["status"]) == ("product.created", "delivered", 200)
    assert run(hook.app, "redeliver", row["id"]).output.endswith(" is on its way.\n")
    hook.attempt()
    assert receiver.ids[0] == receiver.ids[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test", NOBODY], "No such webhook"),
        (["deliveries", NOBODY], "No such webhook"),
        (["redeliver", NOBODY], "No such delivery"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(
    app: Flask, arguments: list[str], words: str
) -> None:
    assert_fails(run(app, *arguments), words)


@pytest.mark.parametrize("name", sorted(webhooks_commands.commands))
def test_the_help_of_each_command_has_an_example(app: Flask, name: str) -> None:
    result = run(app, name, "--help")
    assert result.exit_code == 0
    assert f"Example: flask webhooks {name}" in " ".join(result.output.split())

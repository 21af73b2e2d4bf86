"""``flask mail``, and what the health checks say of mails."""

import json

from flask import Flask

from tests.mail.conftest import Mailer
from tests.mail.post import PostOffice


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["mail", *arguments])
    return result.exit_code, result.output


def test_a_test_mail_arrives_at_once(mailer: Mailer, post_office: PostOffice) -> None:
    assert run(mailer.app, "test", "Ada@Example.com") == (0, "Sent to ada@example.com.\n")
    assert post_office.recipients == ["ada@example.com"]


def test_a_test_mail_that_is_not_taken_says_why(mailer: Mailer, post_office: PostOffice) -> None:
    post_office.answer = lambda _: "451 not now"
    assert run(mailer.app, "test", "ada@example.com") == (
        1,
        "Error: 451 not now; it is tried again\n",
    )


def test_a_test_mail_needs_an_address(mailer: Mailer) -> None:
    status, output = run(mailer.app, "test", "nobody")
    assert status == 1
    assert output.startswith("Error: email: Not an email address.")
    assert not mailer.mails()


def test_mails_are_listed_by_their_state(mailer: Mailer, post_office: PostOffice) -> None:
    mailer.write("sent@example.com")
    mailer.send_due()
    mailer.write("waiting@example.com")
    _, output = run(mailer.app, "list", "--state", "pending", "--json")
    assert [mail["to"] for mail in json.loads(output)] == ["waiting@example.com"]
    assert "sent@example.com" in run(mailer.app, "list")[1]


def test_readiness_tells_how_many_mails_wait(mailer: Mailer) -> None:
    mailer.write()
    check = mailer.app.test_client().get("/readyz").get_json()["checks"]["mail"]
    assert check == {"ok": True, "found": "by 127.0.0.1; 1 wait, the oldest for 0 minutes"}

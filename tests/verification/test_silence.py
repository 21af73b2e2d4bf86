"""Nobody learns from what asks for a mail who has an account."""

import pytest
from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading
from stockroom.users.models import User
from stockroom.verification.models import MailRequest
from tests.api import Api
from tests.verification.letters import kinds_to
from tests.verification.proving import ADA, BOB, register


@pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/verify-email/request"])
def test_what_asks_for_a_mail_does_the_same_for_every_address(
    app: Flask, user: User, nobody: Api, statements: list[str], path: str
) -> None:
    seen = []
    for email in (ADA, "nobody@example.com"):
        statements.clear()
        answer = nobody.post(path, json={"email": email})
        headers = sorted(name for name, _ in answer.headers)
        seen.append((answer.status_code, answer.data, headers, [*statements]))
    assert seen[0] == seen[1]
    assert kinds_to(app, "nobody@example.com") == []
    with app.app_context(), reading() as session:
        assert session.scalars(select(MailRequest)).all() == []


def test_a_registration_asks_as_much_of_the_database_for_a_taken_address(
    app: Flask, user: User, nobody: Api, statements: list[str]
) -> None:
    counts = []
    for email in (ADA, BOB):
        statements.clear()
        register(nobody, email)
        counts.append(len(statements))
    assert counts[0] == counts[1]

"""What clients ask for that a mail has to prove, and what becomes of it."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from stockroom.core.transaction import transaction
from stockroom.users import service as users
from stockroom.users.models import User
from stockroom.verification.models import MailedToken
from tests.api import Api
from tests.factories.users import PASSWORD

ADA, BOB = "ada@example.com", "bob@example.com"
NEW = "quite another passphrase"
CREDENTIALS = {"email": ADA, "password": PASSWORD}


def register(api: Api, email: str = ADA) -> TestResponse:
    return api.post("/auth/register", json={"email": email, "password": PASSWORD})


def forget(api: Api, email: str = ADA) -> None:
    answer = api.post("/auth/password/forgot", json={"email": email})
    assert (answer.status_code, answer.data) == (202, b"")


def reset(api: Api, token: str, password: str = NEW) -> TestResponse:
    return api.post("/auth/password/reset", json={"token": token, "new_password": password})


def change(api: Api, email: str = BOB, password: str = PASSWORD) -> TestResponse:
    return api.post("/auth/email/change", json={"email": email, "password": password})


def account(app: Flask, email: str = ADA) -> User:
    with app.app_context():
        return users.get_by_email(email)


def let_pass(app: Flask, time: timedelta) -> None:
    """As if the tokens had been mailed that much earlier."""
    with app.app_context(), transaction() as session:
        columns = (MailedToken.created_at, MailedToken.expires_at)
        session.execute(update(MailedToken).values({it: it - time for it in columns}))

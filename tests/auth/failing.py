"""Logins that fail, from here or from there, and the time that passes after them."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from stockroom.auth.models import FailedLogins
from stockroom.core.transaction import reading, transaction
from tests.api import Api

ADA = "ada@example.com"
WRONG = "wrong password"
NOBODY = "nobody@example.com"
HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"


def attempt(
    app: Flask, email: str = ADA, password: str = WRONG, address: str = HOME
) -> TestResponse:
    body = {"email": email, "password": password}
    return Api(app).post("/auth/login", json=body, environ_base={"REMOTE_ADDR": address})


def fail(app: Flask, times: int, email: str = ADA, address: str = HOME) -> None:
    for _ in range(times):
        assert attempt(app, email, address=address).status_code == 401


def rows(app: Flask) -> list[FailedLogins]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(FailedLogins).order_by(FailedLogins.account)))


def let_pass(app: Flask, time: timedelta) -> None:
    """Set every moment in the table back, as if the time had passed."""
    columns = (FailedLogins.counted_at, FailedLogins.blocked_until, FailedLogins.trusted_until)
    with app.app_context(), transaction() as session:
        session.execute(update(FailedLogins).values({it: it - time for it in columns}))

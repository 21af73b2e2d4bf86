"""Accounts in great number, made quickly: all have one password, hashed once."""

from collections.abc import Sequence

from flask import Flask
from sqlalchemy import insert

from stockroom.core.permissions import Role
from stockroom.extensions import db
from stockroom.users.models import User
from stockroom.users.passwords import hash_password

PASSWORD = "a passphrase of the bench alone"  # noqa: S105 - protects nothing


def make_accounts(app: Flask, count: int, role: Role = Role.CUSTOMER) -> Sequence[str]:
    """Their addresses."""
    emails = [f"{role}{number}@bench.example.com" for number in range(count)]
    with app.app_context(), db.engine.begin() as connection:
        shared = {"password_hash": hash_password(PASSWORD), "role": role}
        connection.execute(insert(User), [{"email": email, **shared} for email in emails])
    return emails

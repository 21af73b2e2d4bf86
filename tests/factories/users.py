from itertools import count

from flask import Flask

from stockroom.auth import service as auth
from stockroom.auth import tokens
from stockroom.auth.sessions import Device
from stockroom.core.permissions import Role
from stockroom.users import service
from stockroom.users.models import User

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_user(
    app: Flask,
    *,
    email: str | None = None,
    password: str = PASSWORD,
    full_name: str | None = None,
    role: Role = Role.CUSTOMER,
) -> User:
    with app.app_context():
        return service.create(
            email=email or f"user{next(_numbers)}@example.com",
            password=password,
            full_name=full_name,
            role=role,
        )


def log_in(app: Flask, user: User, password: str = PASSWORD) -> dict[str, str]:
    """The tokens of a new session of the user."""
    device = Device("pytest", "127.0.0.1")
    with app.app_context():
        return tokens.mint(auth.log_in(user.email, password, device))


def token_for(app: Flask, user: User) -> str:
    """An access token of a new session of the user."""
    return log_in(app, user)["access_token"]

from itertools import count

from flask import Flask

from stockroom.auth import service as auth
from stockroom.auth import tokens
from stockroom.auth.sessions import Device, open_session
from stockroom.core.permissions import Role
from stockroom.core.transaction import transaction
from stockroom.users import service
from stockroom.users.models import User

DEVICE = Device("pytest", "127.0.0.1")
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
    """The tokens of a new session of the user, who gives the password."""
    with app.app_context():
        return tokens.mint(auth.log_in(user.email, password, DEVICE))


def token_for(app: Flask, user: User) -> str:
    """An access token of a new session of the user, whom nobody asks for the password."""
    with app.app_context(), transaction() as session:
        stored = session.get_one(User, user.id)
        minted: str = tokens.mint(open_session(session, stored, DEVICE))["access_token"]
    return minted

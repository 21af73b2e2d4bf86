"""Shops whose answers are kept, and who writes behind their back."""

from collections.abc import Callable
from uuid import uuid4

from flask import Flask
from sqlalchemy import text

from stockroom.core.permissions import Role
from stockroom.extensions import db
from tests.api import Api
from tests.factories.users import make_user, token_for

MakeApp = Callable[..., Flask]
THINGS = "/things"
A_READ_SECONDS = 0.5


def staff_of(app: Flask, shop: Flask) -> Api:
    return Api(shop, token_for(app, make_user(app, role=Role.STAFF)))


def rename_unseen(app: Flask) -> str:
    """Give all products a new name without the application's knowledge; returns the name."""
    name = f"Mug {uuid4()}"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE products SET name = :name"), {"name": name})
    return name


def is_kept(app: Flask, reader: Api, path: str) -> bool:
    """Whether a read is answered as the one just before it, though the database has changed."""
    before = reader.get(path)
    name = rename_unseen(app)
    after = reader.get(path)
    assert (name in after.text) != (before.text == after.text)
    return before.text == after.text

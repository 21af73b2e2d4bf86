from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from flask import Flask
from sqlalchemy import update

from stockroom.api_keys import service
from stockroom.api_keys.models import ApiKey
from stockroom.api_keys.service import Issued
from stockroom.core.permissions import PERMISSIONS, SCOPES, Caller, Permission
from stockroom.core.transaction import reading, transaction
from stockroom.users.models import User


def make_key(
    app: Flask,
    user: User,
    scopes: Collection[Permission] | None = None,
    *,
    name: str = "Till 3",
    expires_at: datetime | None = None,
) -> Issued:
    """A new key of the user, with all scopes that the user's role has if none are named."""
    if scopes is None:
        scopes = SCOPES & PERMISSIONS[user.role]
    with app.app_context():
        return service.create(Caller(user.id, user.role), name, scopes, expires_at)


def stored_key(app: Flask, key_id: UUID) -> ApiKey:
    """The row as it is now."""
    with app.app_context(), reading() as session:
        return session.get_one(ApiKey, key_id)


def set_key(app: Flask, key_id: UUID, **values: object) -> None:
    """Set the row back, as if time had passed."""
    with app.app_context(), transaction() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key_id).values(**values))

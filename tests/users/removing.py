"""Accounts that are removed, and what is kept nevertheless."""

from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import update

from stockroom.core.background.jobs import bound_jobs
from stockroom.core.transaction import transaction
from stockroom.extensions import db
from stockroom.mail.models import Mail
from stockroom.users import service
from stockroom.users.models import User
from tests.servers import all_rows


def remove(app: Flask, user_id: UUID) -> None:
    with app.app_context():
        service.remove(user_id)


def forget_removed(app: Flask) -> None:
    with app.app_context():
        bound_jobs()["users.forget_removed"].run()


def forget_removed_later(app: Flask) -> None:
    """As if all accounts had been removed, and all mails written, two hours earlier."""
    time = timedelta(hours=2)
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(removed_at=User.removed_at - time))
        session.execute(update(Mail).values(created_at=Mail.created_at - time))
    forget_removed(app)


def stored(app: Flask) -> str:
    """All that the database holds."""
    with app.app_context():
        return "\n".join(all_rows(db.engine))

"""What was written to an address, sent or not."""

from collections.abc import Sequence

from flask import Flask
from sqlalchemy import select

from stockroom.core.transaction import reading
from stockroom.mail.models import Mail


def written_to(app: Flask, address: str) -> Sequence[Mail]:
    """The oldest first."""
    with app.app_context(), reading() as session:
        statement = select(Mail).where(Mail.address == address).order_by(Mail.created_at)
        return session.scalars(statement).all()

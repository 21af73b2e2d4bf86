"""A stand-in for the mail service, to write code against."""

from collections.abc import Mapping

from sqlalchemy.orm import Session


def send(session: Session, to: str, template: str, params: Mapping[str, str]) -> None:
    """Add a mail in the session's transaction."""
    session.info.setdefault("mails", []).append((to, template, dict(params)))

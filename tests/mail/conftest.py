"""An application that sends by a real SMTP server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from stockroom.core.transaction import reading, transaction
from stockroom.mail import repository
from stockroom.mail.models import Mail
from stockroom.mail.sending import send_due
from stockroom.mail.service import send
from tests.mail.post import PostOffice


class Mailer:
    """Sends mails of an application, and tells what has become of them."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def write(
        self, to: str = "ada@example.com", template: str = "mail/test", **params: str
    ) -> None:
        with self.app.app_context(), transaction() as session:
            send(session, to, template, params, user_id=None)

    def send_due(self) -> None:
        with self.app.app_context():
            send_due()

    def mails(self) -> list[Mail]:
        """The newest first."""
        with self.app.app_context(), reading() as session:
            return list(repository.newest(session, None, 100))

    def mail(self) -> Mail:
        (only,) = self.mails()
        return only

    def set_due(self, **changes: Any) -> None:
        """Let the time pass until all that waits is due."""
        with self.app.app_context(), transaction() as session:
            for mail in repository.newest(session, None, 100):
                mail.due_at = mail.created_at
                for name, value in changes.items():
                    setattr(mail, name, value)


MakeMailer = Callable[..., Mailer]


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with PostOffice() as office:
        yield office


@pytest.fixture
def make_mailer(make_app: Callable[..., Flask]) -> MakeMailer:
    return lambda **settings: Mailer(make_app(**settings))


@pytest.fixture
def mailer(make_mailer: MakeMailer, post_office: PostOffice) -> Mailer:
    return make_mailer(
        mail_url=f"smtp://127.0.0.1:{post_office.port}", mail_from="Shop <shop@shop.example>"
    )

"""What an account is told of by mail."""

from flask import Flask

from stockroom.core.transaction import reading
from stockroom.mail import repository as mails
from stockroom.users.models import User


def mails_to(app: Flask, user: User) -> list[str]:
    with app.app_context(), reading() as session:
        return [mail.template for mail in mails.written_to(session, user.email)]

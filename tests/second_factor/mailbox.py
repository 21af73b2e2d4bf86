"""What an account is told of by mail."""

from flask import Flask

from stockroom.users.models import User
from tests.mail.written import written_to


def mails_to(app: Flask, user: User) -> list[str]:
    return [mail.template for mail in written_to(app, user.email)]

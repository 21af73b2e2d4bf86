"""A worker that is killed while it sends: the mail is given back, and is not lost."""

import os
import signal
import subprocess
import sys

from stockroom.core.context import settings as current_settings
from stockroom.mail.models import MailState
from tests.contract.web import PATIENCE_SECONDS, ROOT, environment
from tests.mail.conftest import Mailer
from tests.mail.post import PostOffice

SEND = """
from stockroom.app import create_app
from stockroom.mail.sending import send_due

with create_app().app_context():
    send_due()
"""


def test_a_mail_that_a_killed_worker_was_sending_is_sent_by_the_next(
    mailer: Mailer, post_office: PostOffice
) -> None:
    def kill(_envelope: object) -> str:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE_SECONDS)
        return "451 nobody is there"

    mailer.write()
    post_office.answer = kill
    with mailer.app.app_context():
        variables = {"PATH": os.environ["PATH"], **environment(current_settings())}
    worker = subprocess.Popen([sys.executable, "-c", SEND], cwd=ROOT, env=variables)
    assert worker.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert (mailer.mail().state, mailer.mail().attempts) == (MailState.PENDING, 0)
    post_office.answer = lambda _: "250 taken"
    mailer.send_due()
    assert len(post_office.mails) == 1

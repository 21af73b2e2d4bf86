"""Mails leave once what they tell of is committed, and each is sent once."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text

from stockroom.core.database import now
from stockroom.core.transaction import transaction
from stockroom.extensions import db
from stockroom.mail import sending
from stockroom.mail.models import MailState
from stockroom.mail.sending import remove_old
from stockroom.mail.service import send
from tests.mail.conftest import Mailer, MakeMailer
from tests.mail.post import PostOffice
from tests.threads import at_once


class Mistake(Exception):
    pass


def test_a_mail_arrives_as_text_and_as_html(mailer: Mailer, post_office: PostOffice) -> None:
    mailer.write("ada@example.com")
    mailer.send_due()
    (mail,) = post_office.mails
    assert (mail["From"], mail["To"]) == ("Shop <shop@shop.example>", "ada@example.com")
    assert mail["Subject"] == "A test mail from Stockroom"
    assert mail["Auto-Submitted"] == "auto-generated"
    parts = [part.get_content_type() for part in mail.iter_parts()]
    assert parts == ["text/plain", "text/html"]
    assert mailer.mail().state is MailState.SENT


def test_a_mail_of_a_change_that_fails_is_not_sent(mailer: Mailer, post_office: PostOffice) -> None:
    with mailer.app.app_context(), suppress(Mistake), transaction() as session:
        send(session, "ada@example.com", "mail/test", {}, user_id=None)
        raise Mistake
    mailer.send_due()
    assert not post_office.mails


def test_what_is_sent_is_not_sent_again(mailer: Mailer, post_office: PostOffice) -> None:
    mailer.write()
    mailer.send_due()
    mailer.set_due()
    mailer.send_due()
    assert len(post_office.mails) == 1


def test_two_workers_at_once_send_each_mail_once(mailer: Mailer, post_office: PostOffice) -> None:
    addresses = {f"reader{number}@example.com" for number in range(20)}
    for address in addresses:
        mailer.write(address)
    at_once(lambda _: mailer.send_due(), range(4))
    assert sorted(post_office.recipients) == sorted(addresses)


def test_what_a_mail_is_made_of_is_not_stored_in_plain_and_goes_with_its_duty(
    mailer: Mailer, post_office: PostOffice
) -> None:
    mailer.write(link="https://shop.example/reset?token=hush")
    with mailer.app.app_context(), db.engine.connect() as connection:
        stored = connection.execute(text("SELECT mails::text FROM mails")).scalar_one()
    assert "hush" not in stored
    mailer.send_due()
    assert mailer.mail().params is None


def test_a_mail_whose_key_is_lost_is_given_up_and_says_why(
    make_mailer: MakeMailer, mailer: Mailer, post_office: PostOffice
) -> None:
    mailer.write()
    other_key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    make_mailer(
        mail_url=f"smtp://127.0.0.1:{post_office.port}", encryption_keys=[other_key]
    ).send_due()
    assert mailer.mail().state is MailState.FAILED
    assert "ENCRYPTION_KEYS" in (mailer.mail().error or "")


def test_old_mails_are_removed_unless_they_wait(mailer: Mailer, post_office: PostOffice) -> None:
    mailer.write("done@example.com")
    mailer.send_due()
    mailer.write("waiting@example.com")
    mailer.set_due(created_at=now() - timedelta(days=91))
    with mailer.app.app_context():
        remove_old()
    assert [mail.address for mail in mailer.mails()] == ["waiting@example.com"]


@pytest.mark.parametrize("name", ["host", "reason"])
def test_a_mail_that_cannot_be_written_does_not_hold_up_the_next(
    mailer: Mailer, post_office: PostOffice, name: str
) -> None:
    params = {"host": "hooks.example", "reason": "gone", "webhook_id": "1", name: "\ud800"}
    mailer.write("bob@example.com", "webhooks/disabled", **params)
    mailer.write("ada@example.com")
    mailer.send_due()
    assert post_office.recipients == ["ada@example.com"]
    assert mailer.mails()[1].state is MailState.FAILED


def test_nothing_breaks_out_of_a_subject(mailer: Mailer, post_office: PostOffice) -> None:
    host = "hooks.example\r\nBcc: eve@example.com"
    mailer.write(template="webhooks/disabled", host=host, reason="gone", webhook_id="1")
    mailer.send_due()
    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert post_office.recipients == ["ada@example.com"]


def test_a_mail_of_a_newer_version_waits_for_it(mailer: Mailer, post_office: PostOffice) -> None:
    with mailer.app.app_context(), transaction() as session:
        send(session, "ada@example.com", "mail/of_a_newer_version", {}, user_id=None)
    mailer.write("bob@example.com")
    mailer.send_due()
    assert post_office.recipients == ["bob@example.com"]
    assert [mail.state for mail in mailer.mails()] == [MailState.SENT, MailState.PENDING]


def test_many_mails_go_in_several_runs(
    mailer: Mailer, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAILS_AT_ONCE", 2)
    for _ in range(3):
        mailer.write()
    mailer.send_due()
    assert len(post_office.mails) == 2
    mailer.send_due()
    assert len(post_office.mails) == 3

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
from tests.mail.post import OK, PostOffice
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
        send(session, "ada@example.com", "mail/test", {})
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


def test_while_the_server_is_away_mails_wait_and_leave_when_it_is_back(
    mailer: Mailer, post_office: PostOffice
) -> None:
    post_office.close()
    mailer.write("ada@example.com")
    mailer.write("bob@example.com")
    mailer.send_due()
    # One try tells enough: the second mail has not been tried.
    assert sorted(mail.attempts for mail in mailer.mails()) == [0, 1]
    assert {mail.state for mail in mailer.mails()} == {MailState.PENDING}
    post_office.open()
    mailer.set_due()
    mailer.send_due()
    assert sorted(post_office.recipients) == ["ada@example.com", "bob@example.com"]


def test_a_mail_that_the_server_does_not_take_now_is_tried_again_later(
    mailer: Mailer, post_office: PostOffice
) -> None:
    post_office.answer = lambda _: "451 the mailbox is busy"
    mailer.write()
    mailer.send_due()
    mail = mailer.mail()
    assert (mail.state, mail.error) == (MailState.PENDING, "451 the mailbox is busy")
    assert mail.due_at > now()
    post_office.answer = lambda _: "250 taken"
    mailer.set_due()
    mailer.send_due()
    assert len(post_office.mails) == 1


def test_the_same_mail_has_the_same_message_id_at_each_attempt(
    mailer: Mailer, post_office: PostOffice
) -> None:
    seen = []
    post_office.answer = lambda envelope: seen.append(envelope.content) or "451 later"  # type: ignore[func-returns-value]
    mailer.write()
    for _ in range(2):
        mailer.send_due()
        mailer.set_due()
    first, second = (next(x for x in it.splitlines() if b"Message-ID" in x) for it in seen)
    assert first == second


def test_one_mail_that_is_deferred_does_not_hold_up_the_next(
    mailer: Mailer, post_office: PostOffice
) -> None:
    refused = "full@example.com"
    post_office.answer = lambda it: "452 full" if it.rcpt_tos == [refused] else "250 taken"
    mailer.write(refused)
    mailer.write("ada@example.com")
    mailer.send_due()
    assert post_office.recipients == ["ada@example.com"]


def test_a_mail_that_the_server_refuses_is_given_up_at_once(
    mailer: Mailer, post_office: PostOffice
) -> None:
    post_office.answer = lambda _: "550 no such mailbox"
    mailer.write()
    mailer.send_due()
    mail = mailer.mail()
    assert (mail.state, mail.error) == (MailState.FAILED, "550 no such mailbox")


def test_a_mail_is_given_up_after_three_days(mailer: Mailer, post_office: PostOffice) -> None:
    post_office.answer = lambda _: "451 later"
    mailer.write()
    mailer.set_due(created_at=now() - timedelta(days=3))
    mailer.send_due()
    assert mailer.mail().state is MailState.FAILED


@pytest.mark.parametrize(
    "address", ["ada@example.com\r\nBcc: eve@example.com", "no address", "a@b@example.com", ""]
)
def test_what_is_no_address_is_sent_to_nobody(
    mailer: Mailer, post_office: PostOffice, address: str
) -> None:
    mailer.write(address)
    mailer.send_due()
    assert not post_office.mails
    assert mailer.mail().state is MailState.FAILED


def test_an_address_with_an_international_domain_is_written_as_the_dns_has_it(
    mailer: Mailer, post_office: PostOffice
) -> None:
    mailer.write("ada@bücher.example.com")
    mailer.send_due()
    assert post_office.recipients == ["ada@xn--bcher-kva.example.com"]


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


@pytest.mark.parametrize("answer", ["550 no\x00such mailbox", "550 \x1b[31mno such mailbox"])
def test_whatever_the_server_answers_other_mails_leave_and_a_terminal_is_safe(
    mailer: Mailer, post_office: PostOffice, answer: str
) -> None:
    refused = "nobody@example.com"
    post_office.answer = lambda it: answer if it.rcpt_tos == [refused] else OK
    mailer.write(refused)
    mailer.write("ada@example.com")
    mailer.send_due()
    assert post_office.recipients == ["ada@example.com"]
    error = mailer.mails()[1].error or ""
    assert error.startswith("550 ")
    assert error.isprintable()


def test_an_answer_of_several_lines_is_noted_in_one(
    mailer: Mailer, post_office: PostOffice
) -> None:
    post_office.answer = lambda _: "550-no such mailbox\r\n550 ask the postmaster"
    mailer.write()
    mailer.send_due()
    assert mailer.mail().error == "550 no such mailbox ask the postmaster"


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


def test_a_server_that_hangs_up_is_away_and_only_one_mail_is_tried(
    mailer: Mailer, post_office: PostOffice
) -> None:
    post_office.answer = lambda _: "421 too many mails"
    mailer.write("ada@example.com")
    mailer.write("bob@example.com")
    mailer.send_due()
    assert sorted(mail.attempts for mail in mailer.mails()) == [0, 1]
    assert {mail.state for mail in mailer.mails()} == {MailState.PENDING}


def test_an_address_with_letters_of_any_script_gets_its_mail(
    mailer: Mailer, post_office: PostOffice
) -> None:
    mailer.write("jürgen@example.com")
    mailer.send_due()
    assert post_office.recipients == ["jürgen@example.com"]


def test_a_sender_with_an_international_domain_is_written_as_the_dns_has_it(
    make_mailer: MakeMailer, post_office: PostOffice
) -> None:
    mailer = make_mailer(
        mail_url=f"smtp://127.0.0.1:{post_office.port}", mail_from="Bücher <shop@bücher.example>"
    )
    mailer.write()
    mailer.send_due()
    (mail,) = post_office.mails
    assert mail["From"] == "Bücher <shop@xn--bcher-kva.example>"
    assert mail["Message-ID"].endswith("@xn--bcher-kva.example>")


@pytest.mark.parametrize("answer", ["530 log in first", "421 closing"])
def test_a_server_that_wants_nothing_from_us_now_loses_no_mail(
    mailer: Mailer, post_office: PostOffice, answer: str
) -> None:
    post_office.answer = lambda _: answer
    mailer.write("ada@example.com")
    mailer.write("bob@example.com")
    mailer.send_due()
    assert {mail.state for mail in mailer.mails()} == {MailState.PENDING}
    assert sorted(mail.attempts for mail in mailer.mails()) == [0, 1]


def test_a_mail_of_a_newer_version_waits_for_it(mailer: Mailer, post_office: PostOffice) -> None:
    with mailer.app.app_context(), transaction() as session:
        send(session, "ada@example.com", "mail/of_a_newer_version", {})
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

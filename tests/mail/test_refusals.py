"""Mails that the server puts off wait, those that it refuses are given up, and others leave."""

from datetime import timedelta

import pytest

from stockroom.core.database import now
from stockroom.mail.models import MailState
from tests.mail.conftest import Mailer
from tests.mail.post import OK, PostOffice


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


@pytest.mark.parametrize("answer", ["421 too many mails", "421 closing", "530 log in first"])
def test_a_server_that_wants_nothing_from_us_now_is_away_and_only_one_mail_is_tried(
    mailer: Mailer, post_office: PostOffice, answer: str
) -> None:
    post_office.answer = lambda _: answer
    mailer.write("ada@example.com")
    mailer.write("bob@example.com")
    mailer.send_due()
    assert {mail.state for mail in mailer.mails()} == {MailState.PENDING}
    assert sorted(mail.attempts for mail in mailer.mails()) == [0, 1]

"""Mails of and to addresses in any script, and to what is no address."""

import pytest

from stockroom.mail.models import MailState
from tests.mail.conftest import Mailer, MakeMailer
from tests.mail.post import PostOffice


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

"""How mails travel: encrypted where there is a password, into files where there is no server."""

import stat
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from stockroom.mail.models import MailState
from tests.certificates import certificate, server_context
from tests.mail.conftest import MakeMailer
from tests.mail.post import PostOffice

LOGIN = "shop%40shop.example:p%40ss%3A%20word"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this process trusts, by the system's own means."""
    file = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.fixture
def office_with_starttls(trusted: Path) -> Iterator[PostOffice]:
    context = server_context(trusted)
    with PostOffice(tls_context=context, require_starttls=True, auth_require_tls=True) as office:
        yield office


@pytest.fixture
def office_with_tls(trusted: Path) -> Iterator[PostOffice]:
    with PostOffice(ssl_context=server_context(trusted)) as office:
        yield office


def test_starttls_is_used_where_the_server_offers_it(
    make_mailer: MakeMailer, office_with_starttls: PostOffice
) -> None:
    mailer = make_mailer(mail_url=f"smtp://{LOGIN}@localhost:{office_with_starttls.port}")
    mailer.write()
    mailer.send_due()
    assert len(office_with_starttls.mails) == 1
    assert office_with_starttls.logins[0].login == b"shop@shop.example"


def test_smtps_is_encrypted_from_the_first_byte(
    make_mailer: MakeMailer, office_with_tls: PostOffice
) -> None:
    mailer = make_mailer(mail_url=f"smtps://localhost:{office_with_tls.port}")
    mailer.write()
    mailer.send_due()
    assert len(office_with_tls.mails) == 1


def test_a_server_that_nobody_vouches_for_gets_no_mail(
    make_mailer: MakeMailer, office_with_tls: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    mailer = make_mailer(mail_url=f"smtps://localhost:{office_with_tls.port}")
    mailer.write()
    mailer.send_due()
    assert not office_with_tls.mails
    assert "CERTIFICATE_VERIFY_FAILED" in (mailer.mail().error or "")


def test_a_wrong_password_keeps_mails_waiting(
    make_mailer: MakeMailer, office_with_starttls: PostOffice
) -> None:
    mailer = make_mailer(mail_url=f"smtp://shop:wrong@localhost:{office_with_starttls.port}")
    mailer.write()
    mailer.send_due()
    mail = mailer.mail()
    assert mail.state is MailState.PENDING
    assert "535" in (mail.error or "")
    assert "wrong" not in (mail.error or "")


def test_a_password_is_not_sent_in_the_clear_over_a_network(
    make_mailer: MakeMailer,
) -> None:
    # An address of this machine that is not known as one.
    host = "127.0.0.2"
    with PostOffice(host, auth_require_tls=False) as office:
        mailer = make_mailer(mail_url=f"smtp://{LOGIN}@{host}:{office.port}")
        mailer.write()
        mailer.send_due()
    assert not office.logins
    assert not office.mails
    assert "the password is not sent in the clear" in (mailer.mail().error or "")


def test_without_a_server_mails_are_files_for_the_owner_alone(make_mailer: MakeMailer) -> None:
    mailer = make_mailer()
    mailer.write("ada@example.com")
    mailer.send_due()
    folder = Path(mailer.app.instance_path) / "mail"
    (path,) = folder.glob(f"*{mailer.mail().id}.eml")
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert mail["To"] == "ada@example.com"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert mailer.mail().state is MailState.SENT


def test_a_folder_that_cannot_be_written_keeps_mails_waiting(
    make_mailer: MakeMailer, tmp_path: Path
) -> None:
    (tmp_path / "mail").touch()
    mailer = make_mailer(instance_path=tmp_path)
    mailer.write()
    mailer.send_due()
    assert mailer.mail().state is MailState.PENDING


def test_a_host_that_cannot_be_a_name_keeps_mails_waiting(make_mailer: MakeMailer) -> None:
    mailer = make_mailer(mail_url=f"smtp://{'long' * 20}.example")
    mailer.write()
    mailer.send_due()
    mail = mailer.mail()
    assert (mail.state, mail.attempts) == (MailState.PENDING, 1)

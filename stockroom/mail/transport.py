"""The way that mails go: over SMTP, or into a folder where no server is named."""

import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

from stockroom.config import Settings
from stockroom.mail.errors import MailDeferred, MailNotSent, MailRefused, ServerAway

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 10
PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# "Closing" (RFC 5321, 3.8) and "log in first" (RFC 4954, 6) are about no mail in particular.
_ABOUT_US = {421, 530}
_PERMANENT = range(500, 600)


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None:
        """:raises MailNotSent: one of its subclasses, by what follows from it."""


@contextmanager
def transport_of(settings: Settings) -> Iterator[Transport]:
    """For some mails in a row, which share a connection."""
    if not settings.mail_url:
        yield Folder(settings.instance_path / "mail")
        return
    server = Smtp(settings.mail_url)
    try:
        yield server
    finally:
        server.close()


class Folder:
    """Writes each mail to a file that mail programs open. For development."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: EmailMessage) -> None:
        mail_id = message["Message-ID"].strip("<>").partition("@")[0]
        path = self._path / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{mail_id}.eml"
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(path, "wb", opener=_for_owner) as file:
                file.write(bytes(message))
        except OSError as error:
            raise ServerAway(f"{path}: {error.strerror}") from error
        log.info("mail written", to=message["To"], subject=message["Subject"], file=str(path))


class Smtp:
    """Sends over a connection that is made for the first mail and kept for the next.

    :param url: ``smtp://``, encrypted where the server offers it, or ``smtps://``.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._connection: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        try:
            connection = self._connection or self._connect()
            self._connection = connection
        # What cannot be a host's name, or a password for smtplib, is a UnicodeError.
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise ServerAway(f"{self._parts.hostname}: {_words(error)}") from error
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            ((code, words),) = error.recipients.values()
            raise self._judged(code, words) from error
        except smtplib.SMTPDataError as error:
            raise self._judged(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(_words(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ServerAway(f"{self._parts.hostname}: {_words(error)}") from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    def _judged(self, code: int, words: bytes | str) -> MailNotSent:
        text = f"{code} {_text(words)}"
        if code in _ABOUT_US:
            # The next mail needs another connection.
            self.close()
            return ServerAway(f"{self._parts.hostname}: {text}")
        return MailRefused(text) if code in _PERMANENT else MailDeferred(text)

    def _connect(self) -> smtplib.SMTP:
        host = self._parts.hostname or ""
        port = self._parts.port or PORTS[self._parts.scheme]
        is_encrypted = self._parts.scheme == "smtps"
        tls = ssl.create_default_context()
        connection = (
            smtplib.SMTP_SSL(host, port, timeout=PATIENCE_SECONDS, context=tls)
            if is_encrypted
            else smtplib.SMTP(host, port, timeout=PATIENCE_SECONDS)
        )
        try:
            connection.ehlo()
            if not is_encrypted and connection.has_extn("starttls"):
                connection.starttls(context=tls)
                is_encrypted = True
            self._log_in(connection, is_safe=is_encrypted or host in _LOOPBACK)
        except BaseException:
            connection.close()
            raise
        return connection

    def _log_in(self, connection: smtplib.SMTP, *, is_safe: bool) -> None:
        if not self._parts.username:
            return
        if not is_safe:
            raise ServerAway("The server offers no TLS; the password is not sent in the clear.")
        password = unquote(self._parts.password or "")
        connection.login(unquote(self._parts.username), password)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words

"""A real SMTP server in a thread of the test."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Event, Lock
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.contract.web import free_port

OK = "250 taken"


class PostOffice:
    """Keeps the mails that it takes, and answers to each as ``answer`` says.

    It has its port for good: stopped and opened again, it is found where it was.
    """

    def __init__(self, host: str = "127.0.0.1", **options: Any) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answer: Callable[[Envelope], str] = lambda _envelope: OK
        self.is_asked = Event()
        self.logins: list[LoginPassword] = []
        self.port = free_port()
        self._options = {"hostname": host, **options}
        self._lock = Lock()

    def open(self) -> None:
        self._controller = Controller(
            self, port=self.port, authenticator=self._log_in, **self._options
        )
        self._controller.start()

    def close(self) -> None:
        self._controller.stop()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        self.is_asked.set()
        answer = self.answer(envelope)
        if answer == OK:
            with self._lock:
                self.recipients += envelope.rcpt_tos
                content = bytes(envelope.content or b"")
                self.mails.append(message_from_bytes(content, policy=default))  # type: ignore[arg-type]
        return answer

    def _log_in(self, *arguments: Any) -> AuthResult:
        login = arguments[-1]
        self.logins.append(login)
        return AuthResult(success=login.password == b"p@ss: word", handled=False)

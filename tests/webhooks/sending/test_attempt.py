"""Requests as they go over the wire: TLS, bounds on time and on answers."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from stockroom.webhooks.sending.attempt import Result, Sender
from tests.certificates import certificate, server_context
from tests.webhooks.receivers import Receiver, parcel


def send(url: str, seconds: float = 1) -> Result:
    with closing(Sender(http=True, networks=["127.0.0.0/8", "::1/128"], seconds=seconds)) as sender:
        return sender.send(parcel(url))


@contextmanager
def https_receiver(file: Path) -> Iterator[Receiver]:
    with Receiver(server_context(file)) as receiver:
        yield receiver


@contextmanager
def raw_server(*pieces: bytes, every: float) -> Iterator[str]:
    """Answers each connection with the pieces, one after the other."""
    over = Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    if over.wait(every):
                        return
                    connection.sendall(piece)
                over.wait(5)

    def quietly() -> None:
        try:
            serve()
        except OSError:
            """The client has gone."""

    thread = Thread(target=quietly)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    over.set()
    thread.join()


def test_a_trusted_certificate_for_the_name_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with https_receiver(file) as receiver:
        result = send(f"https://localhost:{receiver.port}/hook")
    assert (result.status, result.response) == (200, "thank you")
    assert receiver.received[0].headers["Host"] == f"localhost:{receiver.port}"


def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, "shop.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with https_receiver(file) as receiver:
        result = send(f"https://localhost:{receiver.port}/hook")
    assert result.error
    assert "Hostname mismatch" in result.error
    assert receiver.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with https_receiver(certificate(tmp_path, "localhost")) as receiver:
        result = send(f"https://localhost:{receiver.port}/hook")
    assert result.error
    assert result.error.startswith("No secure connection: ")
    assert receiver.received == []


@pytest.mark.parametrize(
    "pieces",
    [
        [b"H"] + [b"TTP/1.1 200 OK\r\n"] * 100,
        [b"HTTP/1.1 200 OK\r\n"] + [b"x: y\r\n"] * 100,
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"] + [b"x"] * 100,
    ],
    ids=["status line", "headers", "body"],
)
def test_a_receiver_that_drips_is_given_no_more_time(pieces: list[bytes]) -> None:
    with raw_server(*pieces, every=0.05) as url:
        result = send(url, seconds=0.3)
    assert result.error == "No answer within 0.3 seconds."
    # It is dripped for five seconds.
    assert 300 <= result.milliseconds < 3000


def test_a_receiver_that_drips_over_tls_is_given_no_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with https_receiver(file) as receiver:
        receiver.answer = receiver.hang
        result = send(f"https://localhost:{receiver.port}/", seconds=0.3)
    assert result.error == "No answer within 0.3 seconds."
    assert 300 <= result.milliseconds < 3000


def test_of_a_long_answer_a_kilobyte_is_read(receiver: Receiver) -> None:
    receiver.answers(200, b"x" * 5_000_000)
    result = send(receiver.url)
    assert (result.status, result.response) == (200, "x" * 1024)


def test_what_is_not_http_is_a_failure() -> None:
    with raw_server(b"220 smtp.example ESMTP\r\n", every=0) as url:
        result = send(url)
    assert result.error == "The connection was closed before an answer came."


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_an_interim_answer_is_not_the_answer(interim: bytes) -> None:
    hint = b"HTTP/1.1 " + interim + b"\r\nLink: </style.css>; rel=preload\r\n\r\n"
    answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nlost"
    with raw_server(hint, hint + answer, every=0) as url:
        result = send(url)
    assert (result.status, result.response) == (500, "lost")


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing"])
def test_after_many_interim_answers_no_more_is_waited_for(interim: bytes) -> None:
    hints = (b"HTTP/1.1 " + interim + b"\r\n\r\n") * 21
    with raw_server(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", every=0) as url:
        result = send(url)
    assert result.error == "The connection was closed before an answer came."


def test_interim_answers_give_a_receiver_no_more_time() -> None:
    hints = [b"HTTP/1.1 102 Processing\r\n\r\n"] * 9
    with raw_server(*hints, every=0.1) as url:
        result = send(url, seconds=0.3)
    assert result.error == "No answer within 0.3 seconds."


def test_who_switches_protocols_has_failed_and_is_connected_to_anew(receiver: Receiver) -> None:
    receiver.answers(101, Upgrade="websocket", Connection="Upgrade")
    with closing(Sender(http=True, networks=["127.0.0.0/8"], seconds=1)) as sender:
        results = [sender.send(parcel(receiver.url)) for _ in range(2)]
    assert [(it.status, it.is_success) for it in results] == [(101, False)] * 2
    assert receiver.connections == 2


def test_nobody_listening_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").error == "No connection: Connection refused."

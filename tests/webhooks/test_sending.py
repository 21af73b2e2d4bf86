"""Requests as they go over the wire: TLS, bounds on time and on answers."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stockroom.webhooks.sending import Result, Sender
from tests.webhooks.receivers import Receiver, parcel


def send(url: str, seconds: float = 1) -> Result:
    with closing(Sender(http=True, networks=["127.0.0.0/8", "::1/128"], seconds=seconds)) as sender:
        return sender.send(parcel(url))


def certificate(folder: Path, name: str) -> Path:
    """A file with a key, and the certificate that it has signed for the name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(datetime.now(UTC) + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(encoding))
    return file


@contextmanager
def https_receiver(file: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with Receiver(context) as receiver:
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
    assert 300 <= result.milliseconds < 900


def test_a_receiver_that_drips_over_tls_is_given_no_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with https_receiver(file) as receiver:
        receiver.answer = receiver.hang
        result = send(f"https://localhost:{receiver.port}/", seconds=0.3)
    assert result.error == "No answer within 0.3 seconds."
    assert result.milliseconds < 900


def test_of_a_long_answer_a_kilobyte_is_read(receiver: Receiver) -> None:
    receiver.answers(200, b"x" * 5_000_000)
    result = send(receiver.url)
    assert (result.status, result.response) == (200, "x" * 1024)


def test_what_is_not_http_is_a_failure() -> None:
    with raw_server(b"220 smtp.example ESMTP\r\n", every=0) as url:
        result = send(url)
    assert result.error == "The connection was closed before an answer came."


def test_nobody_listening_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").error == "No connection: Connection refused."

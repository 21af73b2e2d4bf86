"""``make run`` says what stands in its way, and starts whatever the settings say."""

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.serve.served import PATIENCE_SECONDS, ROOT, Serve, environment_of


def _has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.heavy
def test_make_run_serves_with_threads_whatever_the_setting(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_WORKER", "gevent")
    served = serve()
    assert served.get("/readyz")["status"] == "ready"
    # gevent would warn that it comes too late.
    assert "Warning" not in served.printed


@needs_ipv6
def test_make_run_serves_on_ipv6_and_prints_an_address_that_answers(serve: Serve) -> None:
    served = serve("[::1]")
    assert served.get("/readyz")["status"] == "ready"
    assert f"Stockroom is ready: {served.url}/api/v1" in served.printed


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("family", "address", "host"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        pytest.param(socket.AF_INET6, "::1", "[::1]", marks=needs_ipv6),
    ],
)
def test_a_taken_port_is_named_in_one_line(
    instance: Path, family: socket.AddressFamily, address: str, host: str
) -> None:
    with socket.create_server((address, 0), family=family) as other:
        port = other.getsockname()[1]
        refused = serve_in_vain(instance, port, host)
    assert f"Port {port} is in use by another program" in refused


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("nowhere.invalid", "the name cannot be resolved"),
        ("no..name", "the name cannot be resolved"),
        ("192.0.2.1", "not an address of this machine"),
        pytest.param("[2001:db8::1]", "not an address of this machine", marks=needs_ipv6),
    ],
)
def test_a_host_that_nobody_can_listen_on_is_named_in_one_line(
    instance: Path, host: str, reason: str
) -> None:
    refused = serve_in_vain(instance, 5999, host)
    assert refused == f"Error: Cannot listen on HOST={host} PORT=5999: {reason}.\n"


def serve_in_vain(instance: Path, port: int, host: str) -> str:
    """What a start says that is refused."""
    refused = subprocess.run(
        [sys.executable, "-m", "flask", "serve"],
        cwd=ROOT,
        env=environment_of(instance, port, host),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert refused.returncode == 1
    return refused.stderr

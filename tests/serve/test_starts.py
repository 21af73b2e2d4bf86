"""``make run`` says what stands in its way, and starts whatever the settings say."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.served import (
    PATIENCE_SECONDS,
    ROOT,
    Serve,
    environment_of,
)


@pytest.mark.heavy
def test_make_run_serves_with_threads_whatever_the_setting(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_WORKER", "gevent")
    served = serve()
    assert served.get("/readyz")["status"] == "ready"
    # gevent would warn that it comes too late.
    assert "Warning" not in served.printed


@pytest.mark.heavy
def test_a_taken_port_is_named_in_one_line(instance: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "flask", "serve"],
            cwd=ROOT,
            env=environment_of(instance, port),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {port} is in use by another program" in refused.stderr

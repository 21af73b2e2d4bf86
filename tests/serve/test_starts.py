"""``make run`` as its user sees it: one command serves all, and says what stands in its way."""

import json
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


def test_the_first_start_makes_a_catalogue_and_an_administrator(serve: Serve) -> None:
    served = serve()
    assert served.get("/readyz")["status"] == "ready"
    assert len(served.get("/api/v1/products?limit=100")["items"]) > 20
    credentials = {"email": "admin@example.com", "password": served.password}
    tokens = served.post("/api/v1/auth/login", credentials)
    assert tokens["access_token"]
    assert f"{served.url}/docs" in served.printed
    assert f"{served.url}/api/v1" in served.printed


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
def test_commands_in_a_second_terminal_work_on_the_same_data(serve: Serve) -> None:
    served = serve()
    listed = served.flask("users", "list", "--json")
    assert [user["email"] for user in json.loads(listed.stdout)] == ["admin@example.com"]
    # The command has ended, and has not taken the database along.
    assert served.get("/readyz")["status"] == "ready"


def test_a_second_start_is_refused_in_one_line(serve: Serve) -> None:
    served = serve()
    second = served.flask("serve")
    assert second.returncode == 1
    (line,) = [line for line in second.stderr.splitlines() if line.startswith("Error")]
    assert "runs here already" in line
    assert served.url in line


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

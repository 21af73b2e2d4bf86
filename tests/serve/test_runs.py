"""``make run`` as its user sees it, while it runs: one command serves all."""

import json
import os
import signal

import pytest

from tests.serve.served import Served


def test_the_first_start_makes_a_catalogue_and_an_administrator(served: Served) -> None:
    assert served.get("/readyz")["status"] == "ready"
    assert len(served.get("/api/v1/products?limit=100")["items"]) > 20
    credentials = {"email": "admin@example.com", "password": served.password}
    tokens = served.post("/api/v1/auth/login", credentials)
    assert tokens["access_token"]
    assert f"{served.url}/docs" in served.printed
    assert f"{served.url}/api/v1" in served.printed


@pytest.mark.heavy
def test_commands_in_a_second_terminal_work_on_the_same_data(served: Served) -> None:
    listed = served.flask("users", "list", "--json")
    assert [user["email"] for user in json.loads(listed.stdout)] == ["admin@example.com"]
    # The command has ended, and has not taken the database along.
    assert served.get("/readyz")["status"] == "ready"


def test_a_second_start_is_refused_in_one_line(served: Served) -> None:
    second = served.flask("serve")
    assert second.returncode == 1
    (line,) = [line for line in second.stderr.splitlines() if line.startswith("Error")]
    assert "runs here already" in line
    assert served.url in line


def test_ctrl_c_is_for_the_arbiter_alone_to_hear(served: Served) -> None:
    assert served.get("/readyz")["status"] == "ready"
    workers = served.workers()
    for worker in workers:
        os.kill(worker, signal.SIGINT)
    assert served.get("/readyz")["status"] == "ready"
    assert served.workers() == workers != []

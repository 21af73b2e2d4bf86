"""``make run`` goes away cleanly on Ctrl-C, and comes back after whatever was killed."""

import os
import signal
import time
import urllib.error
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.serve.served import GONE, Serve, Served, postgres_of
from tests.stream.clients import read_to_the_end
from tests.threads import until


def test_ctrl_c_stops_all_and_the_second_start_finds_the_data(serve: Serve, instance: Path) -> None:
    served = serve()
    before = served.get("/api/v1/products?limit=200")
    assert served.interrupt() == 0
    assert "Traceback" not in served.printed
    assert not postgres_of(instance)
    again = serve()
    assert again.get("/api/v1/products?limit=200")["items"] == before["items"]
    assert "  password" not in again.printed


def test_ctrl_c_sends_followers_away_and_does_not_wait_for_them(serve: Serve) -> None:
    served = serve()
    credentials = {"email": "admin@example.com", "password": served.password}
    token = served.post("/api/v1/auth/login", credentials)["access_token"]
    address = f"{served.url.replace('http', 'ws', 1)}/api/v1/events/ws"
    headers = {"Authorization": f"Bearer {token}"}
    with connect(address, additional_headers=headers, proxy=None) as follower:
        began = time.monotonic()
        assert served.interrupt() == 0
        assert time.monotonic() - began < 10
        read_to_the_end(follower)
    assert follower.close_code == 1012


@pytest.mark.heavy
def test_a_start_after_a_kill_recovers(serve: Serve) -> None:
    served = serve()
    before = served.get("/api/v1/products?limit=200")
    served.kill()
    again = serve()
    assert again.get("/api/v1/products?limit=200")["items"] == before["items"]


def test_a_start_after_a_kill_of_the_database_recovers(serve: Serve, instance: Path) -> None:
    served = serve()
    before = served.get("/api/v1/products?limit=200")
    served.kill()
    for pid in postgres_of(instance):
        with suppress(*GONE):
            os.kill(pid, signal.SIGKILL)
    again = serve()
    assert again.get("/api/v1/products?limit=200")["items"] == before["items"]


@pytest.mark.heavy
def test_a_database_that_is_killed_while_it_serves_comes_back(serve: Serve, instance: Path) -> None:
    served = serve()
    (data,) = {Path(f"/proc/{pid}/cwd").readlink() for pid in postgres_of(instance)}
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    until(lambda: _answers(served))
    assert served.interrupt() == 0
    assert not postgres_of(instance)


def _answers(served: Served) -> bool:
    try:
        return bool(served.get("/api/v1/products?limit=7")["items"])
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return False
        raise

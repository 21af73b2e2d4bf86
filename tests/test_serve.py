"""``make run`` as its user sees it: a process that prints, serves, and goes away cleanly."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.stream.clients import read_to_the_end

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


class Served:
    """A ``flask serve`` that is ready, and what it has printed until then."""

    def __init__(self, instance: Path, port: int, output: Path) -> None:
        self.environment = _environment(instance, port)
        self.url = f"http://127.0.0.1:{port}"
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _until(lambda: "is ready" in self.printed or self.process.poll() is not None)
        assert self.process.poll() is None, self.printed

    @property
    def printed(self) -> str:
        return self._output.read_text()

    @property
    def password(self) -> str:
        found = re.search(r"^  password +(\S+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as response:
            return json.load(response)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command typed in a second terminal."""
        return subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, children.split()) if b"flask" in _command_line(pid)]

    def interrupt(self) -> int:
        """Ctrl-C: the signal goes to every process of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)


Serve = Callable[[], Served]


@pytest.fixture
def instance() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stockroom-serve-"))
    # As root, PostgreSQL runs under another account, which has to reach its data.
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def serve(instance: Path, tmp_path: Path) -> Iterator[Serve]:
    """Starts the service again and again, on one port and one instance folder."""
    port = _free_port()
    started: list[Served] = []

    def start() -> Served:
        started.append(Served(instance, port, tmp_path / f"output-{len(started)}.txt"))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.interrupt()
    # A killed server leaves its database behind; the next one to stop takes it along.
    if _postgres_of(instance):
        start().interrupt()
    assert not _postgres_of(instance)


def test_the_first_start_makes_a_catalogue_and_an_administrator(serve: Serve) -> None:
    served = serve()
    assert served.get("/readyz")["status"] == "ready"
    assert len(served.get("/api/v1/products?limit=100")["items"]) > 20
    credentials = {"email": "admin@example.com", "password": served.password}
    tokens = served.post("/api/v1/auth/login", credentials)
    assert tokens["access_token"]
    assert f"{served.url}/docs" in served.printed
    assert f"{served.url}/api/v1" in served.printed


def test_ctrl_c_stops_all_and_the_second_start_finds_the_data(serve: Serve, instance: Path) -> None:
    served = serve()
    before = served.get("/api/v1/products?limit=200")
    assert served.interrupt() == 0
    assert "Traceback" not in served.printed
    assert not _postgres_of(instance)
    again = serve()
    assert again.get("/api/v1/products?limit=200")["items"] == before["items"]
    assert "  password" not in again.printed


def test_ctrl_c_is_for_the_arbiter_alone_to_hear(serve: Serve) -> None:
    served = serve()
    assert served.get("/readyz")["status"] == "ready"
    workers = served.workers()
    for worker in workers:
        os.kill(worker, signal.SIGINT)
    assert served.get("/readyz")["status"] == "ready"
    assert served.workers() == workers != []


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
            env=_environment(instance, port),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {port} is in use by another program" in refused.stderr


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
    for pid in _postgres_of(instance):
        with suppress(*GONE):
            os.kill(pid, signal.SIGKILL)
    again = serve()
    assert again.get("/api/v1/products?limit=200")["items"] == before["items"]


def _answers(served: Served) -> bool:
    try:
        return bool(served.get("/api/v1/products?limit=7")["items"])
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return False
        raise


def _environment(instance: Path, port: int) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "WEB_WORKER")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "INSTANCE_PATH": str(instance), "PORT": str(port), "LOG_LEVEL": "WARNING"}


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _postgres_of(instance: Path) -> list[int]:
    """The processes whose working folder is the instance's data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(*GONE):
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(instance):
                found.append(int(entry.name))
    return found


@pytest.mark.heavy
def test_a_database_that_is_killed_while_it_serves_comes_back(serve: Serve, instance: Path) -> None:
    served = serve()
    (data,) = {Path(f"/proc/{pid}/cwd").readlink() for pid in _postgres_of(instance)}
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    _until(lambda: _answers(served))
    assert served.interrupt() == 0
    assert not _postgres_of(instance)

"""``make run`` as a process: what it prints, what it answers, and what is left of it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.contract.web import children_of
from tests.threads import until

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 60
LOOPBACK = "127.0.0.1"
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


class Served:
    """A ``flask serve`` that is ready, and what it has printed until then."""

    def __init__(self, instance: Path, port: int, output: Path, host: str) -> None:
        self.environment = environment_of(instance, port, host)
        self.url = f"http://{host}:{port}"
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
        until(self._is_known, PATIENCE_SECONDS)
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
        return [pid for pid in children_of(self.process.pid) if b"flask" in _command_line(pid)]

    def interrupt(self) -> int:
        """Ctrl-C: the signal goes to every process of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)

    def _is_known(self) -> bool:
        return "is ready" in self.printed or self.process.poll() is not None


Serve = Callable[..., Served]


def environment_of(instance: Path, port: int, host: str = LOOPBACK) -> dict[str, str]:
    """What a shell would have set, and where to keep data and listen."""
    names = ("PATH", "HOME", "LANG", "WEB_WORKER")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    listening = {"HOST": host, "PORT": str(port)}
    return {**kept, **listening, "INSTANCE_PATH": str(instance), "LOG_LEVEL": "WARNING"}


def postgres_of(instance: Path) -> list[int]:
    """The processes whose working folder is the instance's data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(*GONE):
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(instance):
                found.append(int(entry.name))
    return found


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()

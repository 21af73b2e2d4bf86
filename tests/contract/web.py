"""A real gunicorn that serves the application, as production has it, and raw requests to it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from stockroom.config import Settings, environment_name
from tests.leaks import WATCH
from tests.threads import until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
APPLICATION = "wsgi:app"
CONFIGURATION = "gunicorn.conf.py"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True, slots=True)
class Web:
    """Where gunicorn listens.

    :ivar pid: of the process that watches over the workers, if this code started it.
    """

    port: int
    host: str = "127.0.0.1"
    pid: int | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def send(self, request: bytes) -> Answer:
        """What comes back for these bytes, whether or not the server takes all of them."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE_SECONDS) as wire:
            with suppress(BrokenPipeError, ConnectionResetError):
                wire.sendall(request)
            response = HTTPResponse(wire, method=request[:4].decode("latin-1").strip())
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.send(request("GET", path, headers=headers))

    @property
    def answers(self) -> bool:
        with suppress(OSError, HTTPException):
            return self.get("/healthz").status == 200
        return False


def request(
    method: str,
    target: str | bytes,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """A request as it goes over the wire, closed after its answer."""
    fields = {"Host": "stockroom.example", "Connection": "close", **(headers or {})}
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{name}: {value}".encode("latin-1") for name, value in fields.items()]
    line = b" ".join(
        [method.encode(), target if isinstance(target, bytes) else target.encode(), b"HTTP/1.1"]
    )
    return b"\r\n".join([line, *lines, b"", body or b""])


@contextmanager
def serving(
    settings: Settings,
    application: str = APPLICATION,
    configuration: str = CONFIGURATION,
    *,
    within: Sequence[str] = (),
) -> Iterator[Web]:
    """A gunicorn with these settings, until the block ends. All its workers serve from the start:
    who keeps a connection stays with the one that took it.

    :param within: a command that becomes the one that is given to it.
    """
    log = settings.instance_path / "gunicorn.log"
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", configuration, application]
    command = [*within, *gunicorn]
    variables = {"PATH": os.environ["PATH"], **environment(settings)}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output) as process,
    ):
        web = Web(settings.port, pid=process.pid)
        try:
            until(lambda: web.answers or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            if configuration == CONFIGURATION and settings.loop_connections:
                until(lambda: sum(map(_accepts, children_of(process.pid))) == settings.processes)
            yield web
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
    assert WATCH.found_in(log.read_text().splitlines()) == []


def children_of(pid: int) -> list[int]:
    """The processes that it has begun: those of a gunicorn answer requests."""
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _accepts(worker: int) -> bool:
    """Whether its loop watches over more than the one file that wakes it."""
    with suppress(FileNotFoundError):
        for file in Path(f"/proc/{worker}/fd").iterdir():
            if "eventpoll" in str(file.readlink()):
                watched = Path(f"/proc/{worker}/fdinfo/{file.name}").read_text()
                return watched.count("tfd:") > 1
    return False


def environment(settings: Settings) -> dict[str, str]:
    """The variables from which a new process reads the same settings."""
    variables = {}
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        if value is not None and value != setting.default:
            name = environment_name(setting)
            text = ",".join(value) if isinstance(value, list) else getattr(value, "value", value)
            variables[name] = str(text)
    return variables


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

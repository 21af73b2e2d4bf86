"""Other processes that use a server, and waiting for what they do."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PREAMBLE = """
import os, sys
from pathlib import Path
from stockroom.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"})
"""
HOLD = "server.start(); print(server.pid, flush=True); sys.stdin.read()"


def command(home: Path, script: str) -> list[str]:
    """Run the script, which finds a `server` for the home, in a Python of its own."""
    return [sys.executable, "-c", PREAMBLE + script, str(home)]


def run(home: Path, script: str) -> str:
    """What the script printed; it must succeed."""
    done = subprocess.run(
        command(home, script), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def holder(home: Path, script: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server until its stdin is closed, or it is killed."""
    with subprocess.Popen(
        command(home, script), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """The next line of the process, which it is waited for."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def finish(process: subprocess.Popen[str]) -> None:
    """Let a holder end by itself."""
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0

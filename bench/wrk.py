"""wrk, which sends the requests of a file over some connections as fast as they are answered."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTIONS = 16
THREADS = 2
PATIENCE_SECONDS = 10


class Failed(Exception):
    """A request was not answered, or not as expected."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run of wrk gave."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def requests_a_second(self) -> float:
        return self.requests / self.seconds


def write(file: Path, requests: Iterable[bytes]) -> Path:
    """Put whole requests into a file for ``wrk.lua``."""
    file.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return file


def run(
    url: str, file: Path, *, seconds: float, turn: int = 0, connections: int = CONNECTIONS
) -> Figures:
    """Send the requests of the file for some seconds.

    :param turn: another number in each run of a file, so that no request is repeated soon.
    :raises Failed: if an answer has a status above 399, takes ten seconds, or never comes.
    """
    command = [
        *(_program(), f"--connections={connections}", f"--threads={THREADS}"),
        *(f"--duration={seconds:g}s", f"--timeout={PATIENCE_SECONDS}s", f"--script={SCRIPT}", url),
        *("--", str(file), str(turn)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        raise Failed(ended.stdout + ended.stderr)
    told = json.loads(ended.stdout.splitlines()[-1])
    if refused := told.pop("refused"):
        raise Failed(f"{refused} of {told['requests']} answers had a status above 399")
    if lost := told.pop("lost"):
        raise Failed(f"{lost} requests had no answer, beside {told['requests']} that had one")
    return Figures(**told)


def _program() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk is missing: Debian and Ubuntu have it as the package of that name.")
    return found

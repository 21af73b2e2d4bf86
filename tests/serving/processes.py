"""The processes behind a site."""

import re
from contextlib import suppress
from pathlib import Path
from signal import SIGHUP

from stockroom.serving.thread_worker import RELIEF_SECONDS
from tests.contract.conftest import Site
from tests.contract.web import children_of

EXCHANGE_SECONDS = RELIEF_SECONDS
"""More than an exchange may take, where newcomers get little of the processors."""


def master_of(site: Site) -> int:
    """The process that watches over the workers, as it names itself in the log."""
    log = (site.settings.instance_path / "gunicorn.log").read_text()
    line = next(line for line in log.splitlines() if "Listening at" in line)
    return int(line.rpartition("(")[2].partition(")")[0])


def workers_of(site: Site) -> list[int]:
    """The processes that answer requests."""
    return children_of(master_of(site))


def heeds_signals(worker: int) -> bool:
    """Whether it does so in its own way, and not any more as the process that made it."""
    # SIGHUP is for that process alone.
    return not _is_among(SIGHUP, "SigCgt", worker)


def has_pending(process: int, number: int) -> bool:
    """Whether a signal waits for the process to look at it."""
    return _is_among(number, "ShdPnd", process)


def _is_among(number: int, signals: str, process: int) -> bool:
    found = re.search(rf"{signals}:\s*(\w+)", Path(f"/proc/{process}/status").read_text())
    assert found
    return bool(int(found[1], 16) >> (number - 1) & 1)


def nicenesses(process: int) -> set[int]:
    """The priorities of its threads, as nice(1) has them."""
    found = set()
    # Threads end, and processes, while they are looked at.
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            fields = (thread / "stat").read_text().rpartition(")")[2].split()
            found.add(int(fields[16]))
    return found

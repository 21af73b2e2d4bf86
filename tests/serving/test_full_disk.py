"""The disk that INSTANCE_PATH is on is full: counts and lines of the log are lost, no requests."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.conftest import OpenSite, Site
from tests.serving.processes import workers_of
from tests.serving.test_metrics import counted
from tests.threads import until

# What is mounted here only that process sees, and those that it begins.
MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$INSTANCE_PATH"'
BEGIN = 'LOG_FILE="$INSTANCE_PATH/stockroom.log" exec "$0" "$@"'
# Another account than root may mount where it plays root.
AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
ON_SMALL_DISK = ["unshare", *AS_ROOT, "--mount", "sh", "-c", f"{MOUNT} && {BEGIN}"]
PLACES = ["healthz", "readyz", "nowhere", "docs", "openapi.json", "api/v1/products", "api/v1/users"]


def _can_mount(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        variables = {**os.environ, "INSTANCE_PATH": str(folder)}
        return subprocess.run([*ON_SMALL_DISK, "true"], env=variables, check=False).returncode == 0
    return False


@pytest.fixture(scope="module")
def on_small_disk(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if not _can_mount(tmp_path_factory.mktemp("disk")):
        pytest.skip("nothing may be mounted here")
    return ON_SMALL_DISK


@pytest.fixture
def full(open_site: OpenSite, on_small_disk: list[str]) -> Iterator[Site]:
    """A site whose disk is filled once it serves."""
    with open_site(within=on_small_disk) as site:
        with suppress(OSError), filling(site).open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield site


def filling(site: Site) -> Path:
    """A file on the disk, as the process sees it that has mounted it."""
    seen = Path(f"/proc/{site.web.pid}/root")
    return seen / site.settings.instance_path.relative_to("/") / "filling"


def statuses(site: Site) -> set[int]:
    return {site.web.get(f"/{place}").status for place in PLACES}


def test_a_full_disk_ends_no_process(full: Site) -> None:
    before = workers_of(full)
    assert statuses(full) == {200, 401, 404}
    assert workers_of(full) == before


def test_a_process_that_begins_on_a_full_disk_serves(full: Site) -> None:
    (victim,) = workers_of(full)
    os.kill(victim, signal.SIGKILL)
    until(lambda: workers_of(full) not in ([], [victim]))
    begun = workers_of(full)
    assert statuses(full) == {200, 401, 404}
    assert full.web.get("/metrics").status == 200
    assert workers_of(full) == begun


def test_what_was_counted_on_a_full_disk_is_told_once_there_is_room(full: Site) -> None:
    (victim,) = workers_of(full)
    os.kill(victim, signal.SIGKILL)
    until(lambda: workers_of(full) not in ([], [victim]))
    assert full.web.get("/readyz").status == 200
    assert counted(full, "health.readyz") == 0
    filling(full).unlink()
    until(lambda: full.web.get("/nowhere").status == 404 and counted(full, "none"))
    assert full.web.get("/readyz").status == 200
    assert counted(full, "health.readyz") == 2

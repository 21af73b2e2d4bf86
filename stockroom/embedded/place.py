"""Where a server's files lie: a folder, and programs, that the server's account can reach."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from stockroom.embedded.account import Account
from stockroom.embedded.binaries import Binaries
from stockroom.embedded.errors import EmbeddedServerError

SHELTER = Path("/var/lib/stockroom")
COPIED_FOLDERS = ("bin", "lib", "share")
# Others may pass through to what the server's account owns, and see nothing else.
PASSAGE = 0o711


def settle(home: Path, account: Account) -> Path:
    """Make the folder that holds the server's files if need be, and return its real path.

    That is `home`, or if the account cannot reach it (a root's 0700 folder), a new folder under
    /var/lib/stockroom that `home` becomes a symbolic link to.
    Raises EmbeddedServerError if `home` is in use and out of the account's reach, or OSError.
    """
    _drop_lost_link(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    if not home.exists() and account.can_enter(home.parent):
        _make_passage(home)
    # The real path: a home that is a link to a shelter lies where the account cannot follow it.
    if not account.can_enter(home.resolve()):
        _vacate(home, account)
        _link_to_shelter(home)
    return home.resolve()


def within_reach(binaries: Binaries, account: Account, place: Path) -> Binaries:
    """The binaries, or a copy of them in `place` if the account cannot run them where they are.

    Raises EmbeddedServerError if they cannot be moved, or OSError.
    """
    if account.can_run(binaries.folder / "initdb"):
        return binaries
    if not binaries.movable:
        raise EmbeddedServerError(
            f"PostgreSQL runs as account {account.name!r}, which cannot run the programs in "
            f"{binaries.folder}: run as an ordinary user, or set DATABASE_URL."
        )
    copy = place / "programs" / binaries.version
    if not copy.exists():
        _copy_wheel(binaries.folder.parent, copy)
    return Binaries(copy.joinpath(*binaries.folder.parts[-3:]), binaries.version)


def _drop_lost_link(home: Path) -> None:
    if not home.is_symlink() or home.exists():
        return
    target = home.readlink()
    if target.parent != SHELTER:
        raise EmbeddedServerError(f"{home} is a link to {target}, which does not exist.")
    home.unlink(missing_ok=True)


def _vacate(home: Path, account: Account) -> None:
    try:
        with suppress(FileNotFoundError):
            home.rmdir()
    except OSError as error:
        raise EmbeddedServerError(
            f"PostgreSQL runs as account {account.name!r}, which cannot enter {home}: "
            "move it, run as an ordinary user, or set DATABASE_URL."
        ) from error


def _link_to_shelter(home: Path) -> None:
    if not SHELTER.exists():
        _make_passage(SHELTER)
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=SHELTER))
    folder.chmod(PASSAGE)
    try:
        home.symlink_to(folder)
    except FileExistsError:
        # Another process was quicker: its folder is the one to share.
        folder.rmdir()


def _make_passage(folder: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir()
        # The mode that mkdir takes is cut down by the umask.
        folder.chmod(PASSAGE)


def _copy_wheel(install: Path, copy: Path) -> None:
    """Copy the wheel's programs and libraries, keeping the relative places that RPATH relies on."""
    copy.parent.mkdir(exist_ok=True)
    copy.parent.chmod(PASSAGE)
    staging = Path(tempfile.mkdtemp(dir=copy.parent))
    package = install.parent
    for folder in COPIED_FOLDERS:
        _copy_tree(install / folder, staging / package.name / install.name / folder)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        _copy_tree(libraries, staging / libraries.name)
    for path in (staging, staging / package.name, staging / package.name / install.name):
        path.chmod(0o755)
    staging.rename(copy)


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_link_or_copy)
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)


def _link_or_copy(source: str, target: str) -> None:
    """Link a file that every account may use and only root change; copy any other."""
    status = Path(source).stat()
    wanted = 0o755 if status.st_mode & 0o100 else 0o644
    if status.st_mode & 0o777 == wanted and status.st_uid == 0:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(wanted)

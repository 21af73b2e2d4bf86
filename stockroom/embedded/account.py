"""The operating-system account that runs the server: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stockroom.embedded.errors import EmbeddedServerError, reported

UNPRIVILEGED = ("postgres", "nobody")
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """An account, and what it is able to do, found out by doing it."""

    name: str
    uid: int
    gid: int

    def run(
        self, command: Sequence[str | Path], *, cwd: Path = Path("/")
    ) -> subprocess.CompletedProcess[str]:
        """Run a tool as this account and wait for it, whatever its exit status.

        It gets a session of its own, so that a terminal's Ctrl-C does not reach it.
        Raises EmbeddedServerError if it cannot be run at all.
        """
        drop = os.geteuid() != self.uid
        with reported(f"run {command[0]} as account {self.name!r}"):
            return subprocess.run(  # noqa: S603
                command,
                cwd=cwd,
                env=_environment(),
                user=self.uid if drop else None,
                group=self.gid if drop else None,
                extra_groups=[] if drop else None,
                umask=0o077,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach the folder and what lies in it."""
        return self._holds('test -d "$1" && test -x "$1"', str(folder))

    def can_run(self, program: Path) -> bool:
        """Whether the program, which must know `--version`, and its libraries are in reach."""
        return self._holds('exec "$1" --version', str(program))

    def works_in(self, pid: int, folder: Path) -> bool:
        """Whether process `pid` is the account's and has the folder as its working directory."""
        if Path("/proc/self/cwd").exists():
            return self._holds('test "$1" -ef "$2"', f"/proc/{pid}/cwd", str(folder))
        return self._holds('ps -o command= -p "$1" | grep -q postgres', str(pid))

    def own(self, path: Path) -> None:
        """Hand a file or folder to this account; only root needs to, and is able to."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def _holds(self, condition: str, *arguments: str) -> bool:
        return self.run(["/bin/sh", "-c", condition, "sh", *arguments]).returncode == 0


def account_for(data: Path) -> Account:
    """The account that runs a server on this data folder: the caller's own, unless that is root.

    For root it is the owner of the data, or `postgres` or `nobody` if there is no data yet.
    Raises EmbeddedServerError if there is no such account.
    """
    if os.geteuid() != 0:
        return _by_uid(os.geteuid())
    if data.is_dir() and data.stat().st_uid != 0:
        return _by_uid(data.stat().st_uid)
    for name in UNPRIVILEGED:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root, and there is no account {' or '.join(UNPRIVILEGED)}: "
        "run as an ordinary user, or set DATABASE_URL."
    )


def root_name() -> str:
    """The name of the account with user id 0."""
    return _by_uid(0).name


def _by_uid(uid: int) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise EmbeddedServerError(
            f"User id {uid} has no account on this machine, and PostgreSQL needs one: "
            "run as another user, or set DATABASE_URL."
        ) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    # The server's account may be shared, and a process can read the environment of its equals:
    # no secret may be in it. PG* variables would change what the tools do.
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C"} | kept

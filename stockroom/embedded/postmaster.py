"""What a server says about itself in `postmaster.pid`, and whether it answers."""

import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stockroom.embedded.account import Account

PORT = "5432"
SOCKET_NAME = f".s.PGSQL.{PORT}"
# The shortest limit among the systems that PostgreSQL runs on (macOS), without the closing NUL.
SOCKET_PATH_BYTES = 103
SHORT_FOLDER_PREFIX = "stockroom-postgres-"


@dataclass(frozen=True)
class Postmaster:
    """A server's main process, and the folder of its socket (None until it has one)."""

    pid: int
    sockets: Path | None

    @property
    def answers(self) -> bool:
        """Whether it takes connections; a process id proves nothing, as the system reuses them."""
        return self.sockets is not None and answers(self.sockets)


def read_postmaster(data: Path) -> Postmaster | None:
    """What the pid file in the data folder says, true or not; None if there is no whole one."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    sockets = "".join(lines[4:5])
    return Postmaster(pid, Path(sockets) if sockets else None)


def answers(sockets: Path) -> bool:
    """Whether something listens on the server's socket in this folder."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(sockets / SOCKET_NAME))
        return True
    return False


def socket_folder(data: Path, account: Account) -> Path:
    """The data folder, which is private, or if its path cannot be a socket's a new folder."""
    # Clients read a host with a comma in it as a list of hosts.
    if len(bytes(data / SOCKET_NAME)) <= SOCKET_PATH_BYTES and "," not in str(data):
        return data
    # Root's own temporary folder may be closed to others.
    candidates = (tempfile.gettempdir(), "/tmp")  # noqa: S108
    within_reach = (parent for parent in candidates if account.can_enter(Path(parent)))
    folder = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER_PREFIX, dir=next(within_reach, None)))
    account.own(folder)
    return folder


def discard_socket(sockets: Path) -> None:
    """Remove the socket of a server that is gone, and the folder if `socket_folder` made it."""
    with suppress(OSError):
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (sockets / name).unlink(missing_ok=True)
        if sockets.name.startswith(SHORT_FOLDER_PREFIX):
            sockets.rmdir()
